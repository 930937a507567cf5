//! What became of each disguise.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use anyhow::{Result, ensure};
use envoy::servers::{Executed, Kind};
use tokio::task::JoinSet;

use crate::{
    exchange::Answer,
    house::{Door, Front, House},
    request::Request,
    rows::Row,
    words::{Words, is_allowed},
};

/// Disguises against servers.
pub(crate) struct Table {
    rows: Arc<Vec<Row>>,
    columns: BTreeMap<Kind, Column>,
}

/// What one server did.
#[derive(Debug, Default)]
struct Column {
    /// None where a row has nothing to say of the server.
    cells: Vec<Option<Cell>>,
    /// Everything that was executed through Envoy and is not allowed, whichever row it was.
    slipped: Vec<Executed>,
}

/// One disguise at one server.
#[derive(Debug, Default)]
struct Cell {
    /// Straight, it executed what the policy does not allow.
    runs: bool,
    /// Through Envoy, by each door.
    policed: Vec<Passage>,
}

/// What came of a disguise through one door.
#[derive(Debug, Default, PartialEq, Eq)]
struct Passage {
    status: Option<u16>,
    /// It went to the server.
    reached: bool,
    /// This many calls were executed that the policy allows.
    executed: usize,
}

impl Table {
    /// Sends every disguise to every server, straight and then through Envoy.
    pub(crate) async fn of(house: &House, rows: Vec<Row>) -> Result<Self> {
        let rows = Arc::new(rows);
        let mut columns = JoinSet::new();
        for front in &house.fronts {
            let (front, rows) = (Arc::clone(front), Arc::clone(&rows));
            columns.spawn(async move { anyhow::Ok((front.kind(), Column::of(&front, &rows).await?)) });
        }
        let columns = columns.join_all().await.into_iter().collect::<Result<_>>()?;
        Ok(Self { rows, columns })
    }

    /// Each disguise was run by its control.
    pub(crate) fn check_controls(&self) -> Result<()> {
        let missing: Vec<String> = self
            .lines()
            .filter(|(row, cells)| row.control.is_none_or(|control| cells.get(&control).is_none_or(|cell| !cell.runs)))
            .map(|(row, _)| format!("{}: {} by {:?}", row.kind, row.what, row.control))
            .collect();
        ensure!(missing.is_empty(), "these are not run straight by their controls: {missing:#?}");
        Ok(())
    }

    /// No disguise was run by any server.
    pub(crate) fn check_nobody_runs_them(&self) -> Result<()> {
        let run: Vec<String> = self
            .lines()
            .filter(|(_, cells)| cells.values().any(|cell| cell.runs))
            .map(|(row, cells)| format!("{}: {} by {}", row.kind, row.what, runners(&cells)))
            .collect();
        ensure!(run.is_empty(), "these have a control now: {run:#?}");
        Ok(())
    }

    /// Nothing that the policy does not allow was executed through Envoy.
    pub(crate) fn check_policed(&self) -> Result<()> {
        let slipped: Vec<String> = self
            .columns
            .iter()
            .flat_map(|(kind, column)| column.slipped.iter().map(|call| self.tell(*kind, call)))
            .collect();
        ensure!(slipped.is_empty(), "executed through Envoy: {slipped:#?}");
        Ok(())
    }

    /// Which disguise made a server execute `call`.
    fn tell(&self, kind: Kind, call: &Executed) -> String {
        let by = |(index, row): (usize, &Row)| {
            let door = Door::POLICED.into_iter().find(|door| words(kind, *door, index).made(call))?;
            Some(format!("{}: {} ({door:?})", row.kind, row.what))
        };
        let row = self.rows.iter().enumerate().find_map(by).unwrap_or_else(|| "unknown".into());
        format!("{row} at {}: {} {}", kind.name(), call.tool, call.word)
    }

    fn lines(&self) -> impl Iterator<Item = (&Row, BTreeMap<Kind, &Cell>)> {
        self.rows.iter().enumerate().map(|(index, row)| {
            (
                row,
                self.columns
                    .iter()
                    .filter_map(|(kind, column)| Some((*kind, column.cells.get(index)?.as_ref()?)))
                    .collect(),
            )
        })
    }
}

impl Column {
    async fn of(front: &Front, rows: &[Row]) -> Result<Self> {
        let kind = front.kind();
        let mut answers = BTreeMap::new();
        let mut before = 0;
        for door in Door::ALL {
            for (index, row) in rows.iter().enumerate().filter(|(_, row)| row.concerns(kind)) {
                let words = words(kind, door, index);
                answers.insert((index, door), front.send(door, &(row.make)(&words), &words).await?);
            }
            finish(front, door).await?;
            if door == Door::Straight {
                before = front.server.executed()?.len();
            }
        }
        let mut straight = front.server.executed()?;
        let policed = straight.split_off(before);
        let cell = |index: usize, row: &Row| {
            let is_run = |call: &Executed| words(kind, Door::Straight, index).made(call) && !is_allowed(kind, call);
            row.concerns(kind).then(|| Cell {
                runs: straight.iter().any(is_run),
                policed: Door::POLICED
                    .map(|door| Passage::of(front, &words(kind, door, index), answers.get(&(index, door)), &policed))
                    .into(),
            })
        };
        Ok(Self {
            cells: rows.iter().enumerate().map(|(index, row)| cell(index, row)).collect(),
            slipped: policed.iter().filter(|call| !is_allowed(kind, call)).cloned().collect(),
        })
    }
}

impl Passage {
    fn of(front: &Front, words: &Words, answer: Option<&Answer>, policed: &[Executed]) -> Self {
        let executed = policed.iter().filter(|call| words.made(call) && is_allowed(front.kind(), call)).count();
        Self { status: answer.and_then(Answer::status), reached: front.was_reached_by(words), executed }
    }
}

/// The words of a row through a door.
fn words(kind: Kind, door: Door, index: usize) -> Words {
    Words::new(kind, format!("{door:?}{index}").to_lowercase())
}

/// An honest call, so that whatever was sent before it has been executed when it is.
async fn finish(front: &Front, door: Door) -> Result<()> {
    let words = Words::new(front.kind(), format!("after{door:?}").to_lowercase());
    let call =
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ALLOWED","arguments":{"WORD":"GOOD"}}}"#;
    front.send(Door::Straight, &Request::post(words.fill(call)), &words).await?;
    let executed = front.server.executed()?;
    ensure!(executed.iter().any(|call| words.made(call)), "{} does not execute any more", front.kind().name());
    Ok(())
}

fn runners(cells: &BTreeMap<Kind, &Cell>) -> String {
    let runners: Vec<&str> = cells.iter().filter(|(_, cell)| cell.runs).map(|(kind, _)| kind.name()).collect();
    runners.join(", ")
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&str> = self.columns.keys().map(|kind| kind.name()).collect();
        writeln!(f, "disguise | control | run straight by | through Envoy, at {}", columns.join(", "))?;
        for (row, cells) in self.lines() {
            let control = row.control.map_or("none", Kind::name);
            write!(f, "{}: {} | {control} | {} | ", row.kind, row.what, runners(&cells))?;
            let mut passages: Vec<String> = cells.values().map(|cell| cell.to_string()).collect();
            if passages.windows(2).all(|pair| pair[0] == pair[1]) {
                passages.truncate(1);
            }
            writeln!(f, "{}", passages.join(", "))?;
        }
        let kinds: BTreeSet<&str> = self.rows.iter().map(|row| row.kind).collect();
        writeln!(f, "{} disguises of {} kinds", self.rows.len(), kinds.len())
    }
}

impl fmt::Display for Cell {
    /// The doors differ in what a request goes through before it is refused, which is told only where it ends otherwise.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = |passage: &Passage| passage.status.map_or("no answer".into(), |status| status.to_string());
        let mut told = vec![];
        for passage in &self.policed {
            let executed = if passage.executed > 0 { " executed as allowed" } else { "" };
            told.push(format!("{}{executed}", status(passage)));
        }
        told.dedup();
        let reached = self.policed.first().is_some_and(|passage| passage.reached);
        write!(f, "{}{}", told.join(" / "), if reached { " from the server" } else { "" })
    }
}
