//! Ids that the audit chain knows. Slices make theirs with [`id_type!`](crate::id_type).

/// Makes a type for the ids of one table, so that a resident's id cannot be handed over as a
/// consultation's.
///
/// Shape: `id_type!(/// docs … ConsultationId);` gives `ConsultationId(i64)` with SQL and text forms.
#[macro_export]
macro_rules! id_type {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(::serde::Serialize, ::serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl $crate::ToSql for $name {
            fn to_sql(&self) -> $crate::RowResult<$crate::ToSqlOutput<'_>> {
                Ok($crate::ToSqlOutput::Owned($crate::Value::Integer(self.0)))
            }
        }

        impl $crate::FromSql for $name {
            fn column_result(value: $crate::ValueRef<'_>) -> $crate::FromSqlResult<Self> {
                <i64 as $crate::FromSql>::column_result(value).map($name)
            }
        }
    };
}

id_type!(
    /// A person who signs in.
    StaffId
);
id_type!(
    /// A 地域包括支援センター.
    CentreId
);
id_type!(
    /// A person in the resident register (or known to have been in it).
    ResidentId
);
