//! What `auto` takes: a GPU where there is one that has the network, and the CPU where there is none, or from where it fails on.

use std::collections::VecDeque;
use std::sync::Arc;

use super::at_once::AtOnce;
use super::cuda::CudaEngine;
use super::{DeviceChoice, Engine, EngineOptions, Frame, Output, Painted, Plan, Rejected, Source};
use crate::{Error, Model, PictureInfo, Result};

/// A GPU's engine until it fails, and then the CPU's.
pub(super) struct Auto<F> {
    model: Arc<Model>,
    info: PictureInfo,
    /// What the CPU's engine is opened with.
    on_cpu: EngineOptions,
    paints: Paints<F>,
    depth: usize,
    plan: Plan,
}

enum Paints<F> {
    Gpu(Box<CudaEngine<F>>),
    /// And the frames that came back from it.
    Cpu(Box<AtOnce<F>>, VecDeque<Painted<F>>),
}

impl<F: Frame + 'static> Auto<F> {
    /// For frames of `info`.
    ///
    /// # Errors
    /// As [`super::open`], but for what is the GPU's fault.
    pub(super) fn open(model: &Arc<Model>, info: PictureInfo, options: &EngineOptions) -> Result<Self> {
        let on_cpu = EngineOptions { device: DeviceChoice::Cpu, ..*options };
        let gpu = match options.cuda_device() {
            Some(index) => {
                let on_gpu = EngineOptions { device: DeviceChoice::Cuda(index), ..*options };
                CudaEngine::open(model, info, index, &on_gpu)
            }
            None => Ok(None),
        };
        let (paints, depth, plan) = match gpu {
            Ok(Some(gpu)) => {
                let (depth, plan) = (gpu.depth(), gpu.plan().clone());
                (Paints::Gpu(Box::new(gpu)), depth, plan)
            }
            Err(error) if !is_the_gpus_fault(&error) => return Err(error),
            other => {
                let cpu = match (AtOnce::open(model, info, &on_cpu), &other) {
                    (Ok(cpu), _) => cpu,
                    // In f16, say, the GPU alone could have painted.
                    (Err(_), Err(_)) => return Err(other.err().expect("it is one")),
                    (Err(error), Ok(_)) => return Err(error),
                };
                let plan = instead(cpu.plan(), other.as_ref().err());
                (Paints::Cpu(Box::new(cpu), VecDeque::with_capacity(1)), 1, plan)
            }
        };
        Ok(Self { model: Arc::clone(model), info, on_cpu, paints, depth, plan })
    }

    /// From here on the CPU paints: `first`, which the GPU did not, what else is in flight, and all that comes. Where that cannot be
    /// either, `first` comes back as it is.
    fn give_up_gpu(&mut self, mut first: Painted<F>) -> Painted<F> {
        let Paints::Gpu(gpu) = &mut self.paints else { return first };
        if !is_on_host(&mut first.frame) {
            return first;
        }
        let Ok(mut cpu) = AtOnce::open(&self.model, self.info, &self.on_cpu) else { return first };
        self.plan = instead(cpu.plan(), first.outcome.as_ref().err());
        let rest = std::iter::from_fn(|| gpu.collect());
        let all = std::iter::once(first).chain(rest).map(|painted| repainted(&mut cpu, painted));
        let mut painted: VecDeque<_> = all.collect();
        let first = painted.pop_front().expect("the first is one of them");
        self.paints = Paints::Cpu(Box::new(cpu), painted);
        first
    }
}

/// A frame that the GPU did not paint, painted.
fn repainted<F: Frame>(cpu: &mut AtOnce<F>, painted: Painted<F>) -> Painted<F> {
    match painted.outcome {
        Err(error) if is_the_gpus_fault(&error) => paint(cpu, painted.frame),
        _ => painted,
    }
}

fn paint<F: Frame>(cpu: &mut AtOnce<F>, frame: F) -> Painted<F> {
    if let Err(Rejected(frame)) = cpu.submit(frame) {
        let outcome = Err(Error::Engine("it took no frame although none was in flight".to_owned()));
        return Painted { frame, outcome };
    }
    cpu.collect().expect("a frame that was submitted")
}

/// Whether the CPU can see a frame's memory.
fn is_on_host(frame: &mut impl Frame) -> bool {
    matches!(frame.memory(), Ok((Source::Host(_), Output::Host(_))))
}

fn is_the_gpus_fault(error: &Error) -> bool {
    matches!(error, Error::Gpu(_) | Error::Device { .. } | Error::Memory { .. })
}

/// The plan of the CPU's engine, which paints for that reason.
fn instead(plan: &Plan, reason: Option<&Error>) -> Plan {
    Plan { instead: reason.map(ToString::to_string), ..plan.clone() }
}

impl<F: Frame + 'static> Engine<F> for Auto<F> {
    fn depth(&self) -> usize {
        self.depth
    }

    fn submit(&mut self, frame: F) -> Result<(), Rejected<F>> {
        match &mut self.paints {
            Paints::Gpu(gpu) => gpu.submit(frame),
            Paints::Cpu(_, painted) if painted.len() >= self.depth => Err(Rejected(frame)),
            Paints::Cpu(cpu, painted) => {
                painted.push_back(paint(cpu, frame));
                Ok(())
            }
        }
    }

    fn collect(&mut self) -> Option<Painted<F>> {
        let painted = match &mut self.paints {
            Paints::Gpu(gpu) => gpu.collect()?,
            Paints::Cpu(_, painted) => return painted.pop_front(),
        };
        match &painted.outcome {
            Err(error) if is_the_gpus_fault(error) => Some(self.give_up_gpu(painted)),
            _ => Some(painted),
        }
    }

    fn reset(&mut self) {
        match &mut self.paints {
            Paints::Gpu(gpu) => gpu.reset(),
            Paints::Cpu(cpu, _) => cpu.reset(),
        }
    }

    fn hurry(&mut self) {
        if let Paints::Gpu(gpu) = &mut self.paints {
            gpu.hurry();
        }
    }

    fn plan(&self) -> &Plan {
        &self.plan
    }
}
