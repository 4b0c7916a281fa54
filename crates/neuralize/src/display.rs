//! How modules print themselves.

/// Prints a module in one line by some of its methods and, after a semicolon, its
/// fields; or its layers, one a line.
macro_rules! displayed {
    ($module:ident: $($method:ident()),* $(; $field:ident)*) => {
        displayed!(@ $module, false, self,
            [$((stringify!($method), &self.$method()))* $((stringify!($field), &self.$field))*]);
    };
    ($module:ident, layers: $($field:ident),+) => {
        displayed!(@ $module, true, self, [$((stringify!($field), &self.$field))+]);
    };
    (@ $module:ident, $lines:literal, $self:ident, [$(($name:expr, $value:expr))+]) => {
        impl<B: burn::tensor::backend::Backend> burn::module::ModuleDisplay for $module<B> {
            fn custom_settings(&self) -> Option<burn::module::DisplaySettings> {
                let settings = burn::module::DisplaySettings::new();
                settings.with_new_line_after_attribute($lines).optional()
            }

            fn custom_content(
                &$self,
                content: burn::module::Content,
            ) -> Option<burn::module::Content> {
                content$(.add($name, $value))+.optional()
            }
        }
    };
}
