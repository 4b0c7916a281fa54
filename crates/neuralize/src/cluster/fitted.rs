//! The methods that all clusterers have alike.

/// Methods of a clusterer: `$what` it is called, and `$table` is its parameter with
/// one row a centroid or support. It has a parameter `beta`, a check of its input
/// and the heuristic β of checked data.
macro_rules! fitted {
    ($module:ident, $what:literal, $table:ident) => {
        impl<B: Backend> $module<B> {
            #[doc = concat!("The same ", $what, " with β given as a number.")]
            ///
            /// # Errors
            ///
            /// If β is negative, or not finite in the precision of the model.
            pub fn with_beta(self, beta: f64) -> Result<Self> {
                let beta = crate::cluster::beta::checked(beta, self.dtype())?;
                Ok(self.and_beta(Some(beta)))
            }

            /// Without checks: β must be finite and at least 0.
            pub(crate) fn and_beta(self, beta: Option<f64>) -> Self {
                let (device, dtype) = (self.$table.val().device(), self.dtype());
                let beta = vec![beta.unwrap_or(f64::NAN)];
                let beta = crate::host_param::HostParam::new(beta, &device, dtype);
                Self { beta, ..self }
            }

            #[doc = concat!("The same ", $what, " with the heuristic β of the given data,")]
            /// 1 / mean of each point's own logit.
            ///
            /// # Shapes
            ///
            /// - x: `[N, D]`
            ///
            /// # Errors
            ///
            /// If x does not fit the model or is empty, there is only one cluster, or
            /// the mean logit is not positive.
            pub fn with_heuristic_beta(self, x: &Tensor<B, 2>) -> Result<Self> {
                self.check_input(x)?;
                validate::not_empty("x", x)?;
                if self.n_clusters() < 2 {
                    return Err(Error::NoCompetitor);
                }
                let beta = self.heuristic_beta(x)?.ok_or(Error::NoHeuristicBeta)?;
                Ok(self.and_beta(Some(beta)))
            }

            #[doc = concat!("The ", $what, " itself, if what was loaded into it is one.")]
            ///
            /// Burn loads a record without a check of its shapes. A module that holds a
            /// clusterer and is loaded by Burn calls this afterwards; the functions of
            /// [`record`](crate::record) do it themselves.
            ///
            /// # Errors
            ///
            #[doc = concat!("If shapes or values are not those of a ", $what, ".")]
            pub fn checked(self) -> Result<Self> {
                load::check(self)
            }

            /// The number of features, D.
            pub fn n_features(&self) -> usize {
                self.$table.lazy_shape()[1]
            }

            /// The precision of the model; data must have the same.
            pub fn dtype(&self) -> DType {
                self.$table.val().dtype()
            }

            /// The heuristic β (1 / mean logit of the training data), if it is known.
            pub fn beta(&self) -> Option<f64> {
                crate::cluster::beta::known(&self.beta)
            }
        }
    };
}
