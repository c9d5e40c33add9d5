//! Frames in the memory of a GPU, and the CUDA context that is shared with the neighbours.
//!
//! Neighbours ask for a context before they make one of their own, some of them before this element leaves NULL: they are
//! answered in every state. None is taken from them: the engine's context is fixed, and is the same for the whole process.

use std::sync::Arc;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer::subclass::prelude::*;
use impasto_models::DeviceChoice;
use impasto_models::engine::cuda::serves;

use super::caps;
use super::frame::Placement;
use super::imp::{CAT, Impasto};
use crate::cuda::{CONTEXT_TYPE, Cuda};

impl Impasto {
    /// The device whose memory frames may lie in.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn cuda(&self) -> Result<Cuda, String> {
        let started = self.state.lock().as_ref().map(|state| {
            let instead = state.stream.as_ref().and_then(|stream| stream.painter.instead());
            instead.map_or(Ok((state.options, Arc::clone(&state.model))), Err)
        });
        let (options, model) = match started {
            Some(started) => started.map(|(options, model)| (options, Some(model)))?,
            None => (self.settings.lock().engine().map_err(|error| error.to_string())?, None),
        };
        let device = options
            .cuda_device()
            .ok_or_else(|| format!("device '{}' paints frames in the memory of the host", options.device))?;
        if model.is_some_and(|model| !serves(&model)) {
            return Err("the model's network is one that paints frames in the memory of the host".to_owned());
        }
        Cuda::of(device)
    }

    /// Where frames of these caps lie.
    pub(super) fn placement(
        &self,
        incaps: &gst::Caps,
        outcaps: &gst::Caps,
    ) -> Result<Placement, gst::ErrorMessage> {
        let device = |caps: &gst::Caps| match caps::on_device(caps) {
            true => self.cuda().map(Some),
            false => Ok(None),
        };
        let placed = device(incaps).and_then(|source| Ok(Placement { source, output: device(outcaps)? }));
        placed.map_err(|reason| {
            gst::error_msg!(gst::StreamError::Format, ("frames on a device cannot be painted: {reason}"))
        })
    }

    /// Tells a neighbour which context is used here; false where there is none, and others may know one.
    pub(super) fn answer_context(&self, query: &mut gst::query::Context) -> bool {
        if query.context_type() != CONTEXT_TYPE {
            return false;
        }
        let Ok(cuda) = self.cuda() else { return false };
        query.set_context(&cuda.gst_context());
        gst::debug!(CAT, imp = self, "shared the CUDA context with a neighbour");
        true
    }

    /// Tells the bins around, which pass it on to the elements in them, which context is used here.
    pub(super) fn announce_context(&self) {
        let options = self.settings.lock().engine();
        let Some(options) = options.ok().filter(|options| options.cuda_device().is_some()) else { return };
        let is_auto = options.device == DeviceChoice::Auto;
        let cuda = match self.cuda() {
            Ok(cuda) => cuda,
            Err(reason) => {
                // Nobody asked for one.
                let level = if is_auto { gst::DebugLevel::Info } else { gst::DebugLevel::Warning };
                gst::log_with_level!(
                    CAT,
                    level,
                    imp = self,
                    "frames stay in the memory of the host: {reason}"
                );
                return;
            }
        };
        let element = self.obj();
        let message = gst::message::HaveContext::builder(cuda.gst_context()).src(&*element).build();
        if element.post_message(message).is_err() {
            gst::debug!(CAT, imp = self, "no bus to announce the CUDA context on");
        }
    }

    /// Whether `context` is one for CUDA while there is one already.
    pub(super) fn keeps_own_context(&self, context: &gst::Context) -> bool {
        if context.context_type() != CONTEXT_TYPE {
            return false;
        }
        let Ok(cuda) = self.cuda() else { return false };
        let foreign = !cuda.is_shared_as(context);
        if foreign {
            gst::debug!(CAT, imp = self, "the primary CUDA context stays, another was set: {context:?}");
        }
        foreign
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::{CAPS_FEATURE, stand_in};

    fn element(device: &str) -> gst::Element {
        gst::init().unwrap();
        let _ = crate::plugin_register_static();
        gst::ElementFactory::make("impasto").property("device", device).build().unwrap()
    }

    fn on_a_device() -> gst::Element {
        element(&DeviceChoice::Cuda(stand_in::INDEX).to_string())
    }

    fn offers_device(element: &gst::Element, pad: &str) -> bool {
        let caps = element.static_pad(pad).unwrap().query_caps(None);
        caps.iter_with_features().any(|(_, features)| features.contains(CAPS_FEATURE))
    }

    fn shared_by(element: &gst::Element, pad: &str) -> Option<gst::Context> {
        let mut query = gst::query::Context::new(CONTEXT_TYPE);
        element.static_pad(pad).unwrap().query(&mut query).then(|| query.context_owned().unwrap())
    }

    #[test]
    fn both_pads_offer_the_devices_memory_and_its_context_in_every_state() {
        let (cuda, element) = (Cuda::of(stand_in::INDEX).unwrap(), on_a_device());
        for state in [gst::State::Null, gst::State::Ready] {
            element.set_state(state).unwrap();
            for pad in ["sink", "src"] {
                assert!(offers_device(&element, pad));
                assert!(cuda.is_shared_as(&shared_by(&element, pad).unwrap()));
            }
        }
        element.set_state(gst::State::Null).unwrap();
    }

    #[test]
    fn an_element_on_the_host_offers_neither() {
        for device in ["cpu", "burn-cpu"] {
            let element = element(device);
            for pad in ["sink", "src"] {
                assert!(!offers_device(&element, pad));
                assert!(shared_by(&element, pad).is_none());
            }
        }
    }

    #[test]
    fn a_device_that_is_not_there_leaves_the_host() {
        let element = element("cuda:4000");
        element.set_state(gst::State::Ready).unwrap();
        assert!(!offers_device(&element, "sink") && shared_by(&element, "src").is_none());
        element.set_state(gst::State::Null).unwrap();
    }

    #[test]
    fn caps_on_a_device_are_accepted_by_an_element_of_one() {
        let caps = "video/x-raw(memory:CUDAMemory),format=NV12,width=64,height=64,framerate=25/1";
        let caps: gst::Caps = {
            gst::init().unwrap();
            caps.parse().unwrap()
        };
        let accepts = |element: gst::Element| element.static_pad("sink").unwrap().query_accept_caps(&caps);
        assert!(accepts(on_a_device()) && !accepts(element("cpu")));
    }

    #[test]
    fn the_bins_around_learn_the_context() {
        let (pipeline, element) = (gst::Pipeline::new(), on_a_device());
        pipeline.add(&element).unwrap();
        pipeline.set_state(gst::State::Ready).unwrap();
        let cuda = Cuda::of(stand_in::INDEX).unwrap();
        assert!(cuda.is_shared_as(&pipeline.context(CONTEXT_TYPE).unwrap()));
        pipeline.set_state(gst::State::Null).unwrap();
    }

    #[test]
    fn a_foreign_context_is_not_taken() {
        let element = on_a_device();
        element.set_context(&gst::Context::new(CONTEXT_TYPE, true));
        assert!(element.context(CONTEXT_TYPE).is_none());
        let own = Cuda::of(stand_in::INDEX).unwrap().gst_context();
        element.set_context(&own);
        assert!(element.context(CONTEXT_TYPE).is_some());
    }
}
