//! The verbs and nouns of tool definitions, and how much each can do. No name of any server's tool stands here.

use std::{collections::HashMap, sync::LazyLock};

use super::{
    Class,
    words::{Form, lemmas},
};

/// A verb, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verb {
    pub(super) base: String,
    pub(super) class: Class,
    pub(super) kind: Kind,
    pub(super) form: Form,
}

/// What else a verb may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing else.
    Pure,
    /// As often a noun: `run`, `order`, `post`.
    NounToo,
    /// It says that something is done, and not what: `manage`, `control`.
    Weak,
}

const VERBS: &[(Class, Kind, &str)] = &[
    (
        Class::Read,
        Kind::Pure,
        "get read find fetch retrieve describe show lookup look inspect browse explore examine compare summarize summarise \
         explain analyze analyse calculate compute estimate validate verify peek observe whoami display detect \
         identify discover enumerate extract parse decode translate classify recommend suggest predict forecast geocode \
         measure locate grep ls cat stat nslookup whois return download scrape crawl recall exist",
    ),
    (
        Class::Read,
        Kind::NounToo,
        "list search query view check count preview tail head watch monitor ping echo filter sort diff scan trace audit lint \
         glob dig poll wait screenshot snapshot capture hash rank match",
    ),
    (
        Class::Write,
        Kind::Pure,
        "create add insert append write save put update edit modify patch upsert replace rename move duplicate clone upload \
         import attach detach assign unassign untag annotate publish unpublish unshare invite send forward submit unpin unstar \
         follow unfollow subscribe unsubscribe unarchive enable disable configure adjust unstage register propose \
         compose reschedule reserve join leave close reopen resolve complete finish finalize accept decline approve reject \
         dismiss acknowledge ack snooze mute unmute unblock promote demote toggle brighten increase decrease increment \
         decrement initialize init generate make prepare remember memorize learn ingest populate resize overwrite activate \
         deactivate unset encode embed render transform customize confirm rotate open store restore export react \
         introduce connect disconnect convey notify remind ask answer ban kick allocate escalate silence claim skip split combine concat compress convert crop trim ensure aggregate",
    ),
    (
        Class::Write,
        Kind::NounToo,
        "set change copy tag label comment post share mark flag pin star like vote upvote archive commit push pull checkout \
         link log record request draft schedule book track turn switch dim bookmark favorite highlight note seed load backup \
         fork branch block message mail email text report review reply issue index stage format color transition file plan new \
         dispute map",
    ),
    (
        Class::Execute,
        Kind::Pure,
        "execute exec eval evaluate invoke restart reboot launch spawn suspend hibernate shutdown deploy redeploy rollback \
         rollout compile install upgrade downgrade apply provision click dispatch retry rerun simulate emulate train finetune \
         fix repair remediate heal unlock disarm grant impersonate login logout authenticate authorize navigate hover swipe \
         enqueue migrate reindex rebase drain cordon uncordon inject interrupt bypass elevate sudo automate sign failover aspirate dispense jog calibrate",
    ),
    (
        Class::Execute,
        Kind::NounToo,
        "run call trigger start stop boot resume pause play release build scale press type fill tap drag scroll select focus \
         queue replay debug test lock arm sync merge print drive home",
    ),
    (
        Class::Destructive,
        Kind::Pure,
        "delete remove destroy purge erase wipe truncate terminate kill revoke cancel uninstall evict expunge discard nuke \
         obliterate shred deprovision decommission rm del rmdir rmi prune abort invalidate eliminate unregister deregister \
         cleanup rescind delist annihilate undeploy teardown forget mkfs unlink hdel lpop rpop dequeue killall",
    ),
    (Class::Destructive, Kind::NounToo, "drop reset clear trash flush empty clean void expire burn scrub zap pop"),
    (
        Class::Financial,
        Kind::Pure,
        "pay disburse reimburse buy sell remit repay prepay donate withdraw lend borrow redeem topup cashout rebill",
    ),
    (
        Class::Financial,
        Kind::NounToo,
        "refund charge payout purchase transfer trade deposit bill credit debit spend fund wire settle swap stake bid mint \
         exchange order pledge tip",
    ),
    (
        Class::Execute,
        Kind::Weak,
        "control manage handle process perform do take use go conduct administer maintain interact act batch operate work",
    ),
];

static KNOWN: LazyLock<HashMap<&'static str, (Class, Kind)>> = LazyLock::new(|| {
    VERBS.iter().flat_map(|(class, kind, words)| words.split_whitespace().map(|word| (word, (*class, *kind)))).collect()
});

/// The verb that a word is or is a form of.
pub(super) fn verb(word: &str) -> Option<Verb> {
    lemmas(word).into_iter().find_map(|(base, form)| {
        let (class, kind) = *KNOWN.get(base.as_str())?;
        Some(Verb { base, class, kind, form })
    })
}

/// A destructive or financial verb that a word without a gap begins with: `deletefile`.
pub(super) fn hidden_verb(word: &str) -> Option<Verb> {
    let grave = |class: &Class| matches!(class, Class::Destructive | Class::Financial);
    let begins = |base: &str| base.len() >= 5 && word.len() > base.len().saturating_add(2) && word.starts_with(base);
    let longest =
        KNOWN.iter().filter(|(base, (class, _))| grave(class) && begins(base)).max_by_key(|(base, _)| base.len());
    longest.map(|(base, (class, kind))| Verb { base: (*base).to_owned(), class: *class, kind: *kind, form: Form::Base })
}

/// Whether a word, or what it is the plural of, is in the list.
fn in_list(word: &str, list: &str) -> bool {
    let one = word.strip_suffix('s').unwrap_or(word);
    let ies = word.strip_suffix("ies").map(|stem| format!("{stem}y"));
    list.split_whitespace().any(|known| known == word || known == one || Some(known) == ies.as_deref())
}

/// Words for money that moves.
pub(super) fn money(word: &str) -> bool {
    in_list(
        word,
        "payment payout refund charge transfer money fund cash checkout purchase trade deposit withdrawal salary payroll \
         donation loan debit balance escrow order billing bill reimbursement remittance dividend payable wager bitcoin ether spending allowance leverage margin",
    )
}

/// Words for papers about money: to write one is harmless, to send or settle it is not.
pub(super) fn account(word: &str) -> bool {
    in_list(word, "invoice transaction quote estimate dispute")
}

/// Verbs that make a paper about money count.
pub(super) fn commits(base: &str) -> bool {
    in_list(
        base,
        "finalize send submit issue approve accept confirm settle execute sign void broadcast authorize process",
    )
}

/// Words for things that run as soon as they are made.
pub(super) fn running(word: &str) -> bool {
    in_list(word, "run job build pipeline execution command deployment dispatch")
}

/// Verbs that make such a thing.
pub(super) fn makes(base: &str) -> bool {
    in_list(base, "create add submit new schedule post put register make send generate request")
}

/// Words for what can do anything that it is told.
pub(super) fn power(word: &str) -> bool {
    in_list(
        word,
        "shell bash sh zsh powershell terminal console command cmd sql script python javascript js node repl ssh exec eval \
         subprocess interpreter sandbox",
    )
}

/// Words for what is only looked at.
pub(super) fn state(word: &str) -> bool {
    in_list(
        word,
        "health status info information version overview summary history detail stats statistic metadata schema usage \
         capability configuration config help documentation doc weather forecast news metric uptime time date timeline \
         progress preview diff blame availability directions route elevation distance rate price",
    )
}

/// Words for things.
pub(super) fn thing(word: &str) -> bool {
    state(word)
        || in_list(
            word,
            "note user message file folder directory tree page document item event task issue ticket project repository repo \
             branch commit channel thread contact account customer product image photo video audio device sensor light entity \
             node pod namespace container service cluster table column row database bucket object key value resource tool \
             prompt log trace span alert dashboard report article post comment review label tag tab browser network request \
             response cookie web site url link address place map city country stock quote market ticker wiki library package \
             dependency environment variable setting permission role group team member organization calendar mail email inbox \
             attachment sheet cell model dataset experiment artifact result error warning server api endpoint data record entry \
             collection index field category topic question answer graph memory session console git docker kubectl helm redis \
             postgres",
        )
}
