//! Custom metrics: one set of statistics for the process, with ids that each virtual machine hands out itself.

use std::collections::{BTreeMap, HashMap};

use crate::status::Status;

/// The statistics of the process, by the name that the guest gave (Envoy shows them as `wasmcustom.NAME`).
#[derive(Debug, Default)]
pub(crate) struct Statistics {
    pub(crate) values: BTreeMap<String, u64>,
    pub(crate) histograms: BTreeMap<String, Vec<u64>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// The ids of one virtual machine. Defining a name twice gives two ids for one statistic.
#[derive(Debug, Default)]
pub(crate) struct MetricIds {
    names: HashMap<u32, (Kind, String)>,
    defined: [u32; 3],
}

const KIND_BITS: u32 = 2;
const KIND_MASK: u32 = 3;

impl MetricIds {
    pub(crate) fn define(&mut self, statistics: &mut Statistics, kind: u32, name: &[u8]) -> Result<u32, Status> {
        let (index, parsed) = match kind {
            0 => (0, Kind::Counter),
            1 => (1, Kind::Gauge),
            2 => (2, Kind::Histogram),
            _ => return Err(Status::BadArgument),
        };
        self.defined[index] += 1;
        let id = (self.defined[index] << KIND_BITS) | kind;
        let name = String::from_utf8_lossy(name).into_owned();
        if parsed == Kind::Histogram {
            statistics.histograms.entry(name.clone()).or_default();
        } else {
            statistics.values.entry(name.clone()).or_default();
        }
        self.names.insert(id, (parsed, name));
        Ok(id)
    }

    fn find(&self, id: u32) -> Result<(Kind, &str), Status> {
        self.names.get(&id).map(|(kind, name)| (*kind, name.as_str())).ok_or(Status::NotFound)
    }

    /// Counters only grow: Envoy refuses to add zero or less to one. A histogram cannot be added to.
    pub(crate) fn increment(&self, statistics: &mut Statistics, id: u32, by: i64) -> Result<(), Status> {
        if id & KIND_MASK > 1 {
            return Err(Status::BadArgument);
        }
        let (kind, name) = self.find(id)?;
        if kind == Kind::Counter && by <= 0 {
            return Err(Status::BadArgument);
        }
        let value = statistics.values.entry(name.to_owned()).or_default();
        *value = if by > 0 { value.wrapping_add(by.unsigned_abs()) } else { value.wrapping_sub(by.unsigned_abs()) };
        Ok(())
    }

    /// Adds to a counter, sets a gauge, notes a sample in a histogram.
    pub(crate) fn record(&self, statistics: &mut Statistics, id: u32, value: u64) -> Result<(), Status> {
        let (kind, name) = self.find(id)?;
        let name = name.to_owned();
        match kind {
            Kind::Counter => {
                let counter = statistics.values.entry(name).or_default();
                *counter = counter.wrapping_add(value);
            }
            Kind::Gauge => {
                statistics.values.insert(name, value);
            }
            Kind::Histogram => statistics.histograms.entry(name).or_default().push(value),
        }
        Ok(())
    }

    pub(crate) fn get(&self, statistics: &Statistics, id: u32) -> Result<u64, Status> {
        if id & KIND_MASK > 1 {
            return Err(Status::BadArgument);
        }
        let (_, name) = self.find(id)?;
        Ok(statistics.values.get(name).copied().unwrap_or_default())
    }
}
