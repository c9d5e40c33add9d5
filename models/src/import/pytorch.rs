//! The parameters of pytorch/examples fast_neural_style, named as its `neural_style/transformer_net.py` does.

use crate::generators::Weights;

/// The last layer, under whatever the checkpoint wraps the network in.
const LANDMARK: &str = "deconv3.conv2d.weight";

/// Statistics that files of PyTorch before 0.4 carry and the network never used; its own loader drops them too.
const UNUSED: [&str; 3] = ["running_mean", "running_var", "num_batches_tracked"];

/// Theirs and ours, in front of `.weight` or `.bias`.
const LAYERS: [(&str, &str); 31] = [
    ("conv1.conv2d", "down.0.conv"),
    ("in1", "down.0.norm"),
    ("conv2.conv2d", "down.1.conv"),
    ("in2", "down.1.norm"),
    ("conv3.conv2d", "down.2.conv"),
    ("in3", "down.2.norm"),
    ("res1.conv1.conv2d", "residuals.0.first.conv"),
    ("res1.in1", "residuals.0.first.norm"),
    ("res1.conv2.conv2d", "residuals.0.second.conv"),
    ("res1.in2", "residuals.0.second.norm"),
    ("res2.conv1.conv2d", "residuals.1.first.conv"),
    ("res2.in1", "residuals.1.first.norm"),
    ("res2.conv2.conv2d", "residuals.1.second.conv"),
    ("res2.in2", "residuals.1.second.norm"),
    ("res3.conv1.conv2d", "residuals.2.first.conv"),
    ("res3.in1", "residuals.2.first.norm"),
    ("res3.conv2.conv2d", "residuals.2.second.conv"),
    ("res3.in2", "residuals.2.second.norm"),
    ("res4.conv1.conv2d", "residuals.3.first.conv"),
    ("res4.in1", "residuals.3.first.norm"),
    ("res4.conv2.conv2d", "residuals.3.second.conv"),
    ("res4.in2", "residuals.3.second.norm"),
    ("res5.conv1.conv2d", "residuals.4.first.conv"),
    ("res5.in1", "residuals.4.first.norm"),
    ("res5.conv2.conv2d", "residuals.4.second.conv"),
    ("res5.in2", "residuals.4.second.norm"),
    ("deconv1.conv2d", "up.0.conv"),
    ("in4", "up.0.norm"),
    ("deconv2.conv2d", "up.1.conv"),
    ("in5", "up.1.norm"),
    ("deconv3.conv2d", "head"),
];

/// What stands in front of every name (`module.`, `state_dict.`, nothing), if this is that network.
pub(super) fn prefix(tensors: &Weights) -> Option<String> {
    tensors.keys().find_map(|name| name.strip_suffix(LANDMARK).map(str::to_owned))
}

/// Our names; a tensor that the network does not have keeps its own, so that the check names it.
pub(super) fn rename(tensors: Weights, prefix: &str) -> Weights {
    let used = tensors.into_iter().filter(|(name, _)| !UNUSED.iter().any(|unused| name.ends_with(unused)));
    used.map(|(name, tensor)| (rename_one(&name, prefix).unwrap_or(name), tensor)).collect()
}

fn rename_one(name: &str, prefix: &str) -> Option<String> {
    let (layer, parameter) = name.strip_prefix(prefix)?.rsplit_once('.')?;
    let (_, ours) = LAYERS.iter().find(|(theirs, _)| *theirs == layer)?;
    let parameter = match (ours.ends_with("norm"), parameter) {
        (true, "weight") => "scale",
        (true, "bias") => "shift",
        _ => parameter,
    };
    Some(format!("{ours}.{parameter}"))
}
