#!/usr/bin/env python3
"""Paints a picture with the published code of an imported network, or compares two pictures.

The published code is not part of this project: hand over a checkout of it.

    published.py pytorch  CHECKOUT/fast_neural_style/neural_style WEIGHTS.pth IN.png OUT.png
    published.py lengstrom CHECKOUT/fast-style-transfer/src WEIGHTS.safetensors IN.png OUT.png
    published.py microast CHECKOUT/MicroAST FOLDER_OF_WEIGHTS IN.png STYLE.png OUT.png
    published.py make-pth CHECKOUT/fast_neural_style/neural_style SEED WEIGHTS.pth
    published.py compare A.png B.png

`pytorch`, `microast` and `make-pth` need torch (Debian: python3-torch), `lengstrom` tensorflow and safetensors; all need
numpy and Pillow. A STYLE.png of 512 pixels on its longer side is what the encoder sees here too. WEIGHTS.safetensors are the 48 TensorFlow variables under their names.
"""

import sys

import numpy as np
from PIL import Image


def read_picture(path):
    return np.asarray(Image.open(path).convert("RGB"), dtype=np.float32)


def write_picture(path, numbers, like):
    height, width, _ = like.shape
    rounded = np.clip(np.rint(numbers[:height, :width]), 0, 255).astype(np.uint8)
    Image.fromarray(rounded).save(path)


def published_transformer(code):
    sys.path.insert(0, code)
    import transformer_net

    return transformer_net.TransformerNet()


def make_pth(code, seed, out):
    """Seeded weights in the published layout: norms with scales and shifts of their own, so that each counts."""
    import torch

    torch.manual_seed(int(seed))
    network = published_transformer(code)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if ".in" in f".{name}":
                parameter.add_(torch.randn_like(parameter) * 0.2)
        # Bring the linear end into the range of pictures.
        network.deconv3.conv2d.weight.mul_(40)
        network.deconv3.conv2d.bias.fill_(128)
    torch.save(network.state_dict(), out)


def paint_pytorch(code, weights, source, out):
    import torch

    network = published_transformer(code)
    network.load_state_dict(torch.load(weights))
    picture = read_picture(source)
    with torch.no_grad():
        painted = network(torch.from_numpy(picture).permute(2, 0, 1)[None])
    write_picture(out, painted[0].permute(1, 2, 0).numpy(), picture)


def paint_lengstrom(code, weights, source, out):
    import tensorflow
    from safetensors.numpy import load_file

    v1 = tensorflow.compat.v1
    v1.disable_v2_behavior()
    sys.modules["tensorflow"] = v1  # the published code was written for TensorFlow 1
    sys.path.insert(0, code)
    import transform

    picture = read_picture(source)
    values = load_file(weights)
    with v1.Graph().as_default(), v1.Session() as session:
        frame = v1.placeholder(v1.float32, (1,) + picture.shape)
        painted = transform.net(frame)
        for variable in v1.global_variables():
            variable.load(values[variable.op.name], session)
        numbers = session.run(painted, {frame: picture[None]})
    write_picture(out, numbers[0], picture)


def paint_microast(code, weights, source, style, out):
    import torch

    sys.path.insert(0, code)
    import net_microAST as net

    parts = net.Encoder(), net.Encoder(), net.Modulator(), net.Decoder()
    for part, name in zip(parts, ("content_encoder", "style_encoder", "modulator", "decoder")):
        part.load_state_dict(torch.load(f"{weights}/{name}_iter_160000.pth.tar"))
    network = net.TestNet(*parts).eval()
    picture = read_picture(source)
    numbers = [torch.from_numpy(x / 255).permute(2, 0, 1)[None] for x in (picture, read_picture(style))]
    with torch.no_grad():
        painted = network(*numbers)
    write_picture(out, painted[0].permute(1, 2, 0).numpy() * 255, picture)


def compare(a, b):
    a, b = read_picture(a), read_picture(b)
    if a.shape != b.shape:
        sys.exit(f"sizes differ: {a.shape} and {b.shape}")
    difference = np.abs(a - b)
    spread = [float(picture.std()) for picture in (a, b)]
    print(f"mean {difference.mean():.4f}/255, worst {difference.max():.0f}/255, spread {spread[0]:.1f} and {spread[1]:.1f}")
    if difference.mean() > 1:
        sys.exit("more than 1/255 apart")


if __name__ == "__main__":
    commands = {"pytorch": paint_pytorch, "lengstrom": paint_lengstrom, "microast": paint_microast, "make-pth": make_pth, "compare": compare}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
