//! The grammar files that the program carries with it.

/// Name and text of each file. The order is that of flows: the first that fits a request is taken.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("grammars/services.flow", include_str!("../../grammars/services.flow")),
    ("grammars/steps-client.flow", include_str!("../../grammars/steps-client.flow")),
    ("grammars/steps-nova.flow", include_str!("../../grammars/steps-nova.flow")),
    ("grammars/steps-servers.flow", include_str!("../../grammars/steps-servers.flow")),
    ("grammars/steps-cinder.flow", include_str!("../../grammars/steps-cinder.flow")),
    ("grammars/machines.flow", include_str!("../../grammars/machines.flow")),
    ("grammars/attach.flow", include_str!("../../grammars/attach.flow")),
    ("grammars/detach.flow", include_str!("../../grammars/detach.flow")),
    ("grammars/boot.flow", include_str!("../../grammars/boot.flow")),
    ("grammars/delete.flow", include_str!("../../grammars/delete.flow")),
    ("grammars/shelve.flow", include_str!("../../grammars/shelve.flow")),
    ("grammars/migrate.flow", include_str!("../../grammars/migrate.flow")),
    ("grammars/rebuild.flow", include_str!("../../grammars/rebuild.flow")),
    ("grammars/direct.flow", include_str!("../../grammars/direct.flow")),
    ("grammars/extend.flow", include_str!("../../grammars/extend.flow")),
    ("grammars/volume-work.flow", include_str!("../../grammars/volume-work.flow")),
    ("grammars/swap.flow", include_str!("../../grammars/swap.flow")),
    ("grammars/findings.flow", include_str!("../../grammars/findings.flow")),
    ("grammars/findings-attach.flow", include_str!("../../grammars/findings-attach.flow")),
    ("grammars/findings-detach.flow", include_str!("../../grammars/findings-detach.flow")),
    ("grammars/findings-either.flow", include_str!("../../grammars/findings-either.flow")),
];
