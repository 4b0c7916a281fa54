//! Functions of one number, as data: what a rule computes from an input, a weight or a bias.

use std::ops::{Add, Mul, Neg, Sub};

use burn::tensor::{Tensor, backend::Backend};

/// A function of one number, element by element.
///
/// It is built in a closure, with operators and methods of the same names as those of tensors. Since
/// it is data and not code, one expression runs on every backend and in every precision, and a rule
/// that is made of expressions can be cloned, compared and sent to other threads.
///
/// ```
/// use burn_lrp::Expression;
///
/// // w + 0.25 w⁺, as in LRP-γ.
/// let favoured = Expression::new(|w| w.clone() + w.positive() * 0.25);
/// assert_eq!(favoured.at(2.0), 2.5);
/// assert_eq!(favoured.at(-2.0), -2.0);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Expression(Operation);

#[derive(Debug, Clone, PartialEq)]
enum Operation {
    Variable,
    Constant(f64),
    Add(Box<Operation>, Box<Operation>),
    Sub(Box<Operation>, Box<Operation>),
    Mul(Box<Operation>, Box<Operation>),
    ClampMin(Box<Operation>, f64),
    ClampMax(Box<Operation>, f64),
    Unary(Unary, Box<Operation>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Unary {
    Neg,
    Abs,
    Sign,
    Square,
    Sqrt,
    Exp,
    Tanh,
}

impl Expression {
    /// The expression that a closure makes of its variable.
    pub fn new<E: Into<Self>>(f: impl FnOnce(Self) -> E) -> Self {
        f(Self(Operation::Variable)).into()
    }

    /// The variable as it is.
    pub fn identity() -> Self {
        Self(Operation::Variable)
    }

    /// The absolute value.
    pub fn abs(self) -> Self {
        self.unary(Unary::Abs)
    }

    /// 1, 0 or −1.
    pub fn sign(self) -> Self {
        self.unary(Unary::Sign)
    }

    /// The square.
    pub fn square(self) -> Self {
        self.unary(Unary::Square)
    }

    /// The square root; NaN below 0.
    pub fn sqrt(self) -> Self {
        self.unary(Unary::Sqrt)
    }

    /// The exponential.
    pub fn exp(self) -> Self {
        self.unary(Unary::Exp)
    }

    /// The hyperbolic tangent.
    pub fn tanh(self) -> Self {
        self.unary(Unary::Tanh)
    }

    /// `max(x, min)`.
    pub fn clamp_min(self, min: f64) -> Self {
        Self(Operation::ClampMin(Box::new(self.0), min))
    }

    /// `min(x, max)`.
    pub fn clamp_max(self, max: f64) -> Self {
        Self(Operation::ClampMax(Box::new(self.0), max))
    }

    /// The positive part, `max(x, 0)`.
    ///
    /// The positive part of an input costs nothing where no input is negative.
    pub fn positive(self) -> Self {
        self.clamp_min(0.0)
    }

    /// The negative part, `min(x, 0)`.
    ///
    /// A product with the negative part of an input is skipped where no input is negative.
    pub fn negative(self) -> Self {
        self.clamp_max(0.0)
    }

    /// The value at a number, in double precision.
    pub fn at(&self, x: f64) -> f64 {
        self.0.at(x)
    }

    /// The value at every element; a number where it is a constant.
    pub(crate) fn of<B: Backend>(&self, x: &Tensor<B, 1>) -> Tensor<B, 1> {
        self.0.of(x)
    }

    /// Whether all constants are finite.
    pub(crate) fn is_finite(&self) -> bool {
        self.0.is_finite()
    }

    fn unary(self, function: Unary) -> Self {
        Self(Operation::Unary(function, Box::new(self.0)))
    }
}

impl Operation {
    fn at(&self, x: f64) -> f64 {
        match self {
            Self::Variable => x,
            Self::Constant(value) => *value,
            Self::Add(a, b) => a.at(x) + b.at(x),
            Self::Sub(a, b) => a.at(x) - b.at(x),
            Self::Mul(a, b) => a.at(x) * b.at(x),
            Self::ClampMin(a, min) => a.at(x).max(*min),
            Self::ClampMax(a, max) => a.at(x).min(*max),
            Self::Unary(function, a) => {
                let a = a.at(x);
                match function {
                    Unary::Neg => -a,
                    Unary::Abs => a.abs(),
                    Unary::Sign if a == 0.0 => 0.0,
                    Unary::Sign => a.signum(),
                    Unary::Square => a * a,
                    Unary::Sqrt => a.sqrt(),
                    Unary::Exp => a.exp(),
                    Unary::Tanh => a.tanh(),
                }
            }
        }
    }

    /// A constant on the right is a number to the backend, as in Burn's own operators.
    fn of<B: Backend>(&self, x: &Tensor<B, 1>) -> Tensor<B, 1> {
        match self {
            Self::Variable => x.clone(),
            Self::Constant(value) => Tensor::full(x.dims(), *value, (&x.device(), x.dtype())),
            Self::Add(a, b) => match **b {
                Self::Constant(value) => a.of(x) + value,
                _ => a.of(x) + b.of(x),
            },
            Self::Sub(a, b) => match **b {
                Self::Constant(value) => a.of(x) - value,
                _ => a.of(x) - b.of(x),
            },
            Self::Mul(a, b) => match **b {
                Self::Constant(value) => a.of(x) * value,
                _ => a.of(x) * b.of(x),
            },
            Self::ClampMin(a, min) => a.of(x).clamp_min(*min),
            Self::ClampMax(a, max) => a.of(x).clamp_max(*max),
            Self::Unary(function, a) => {
                let a = a.of(x);
                match function {
                    Unary::Neg => a.neg(),
                    Unary::Abs => a.abs(),
                    Unary::Sign => a.sign(),
                    Unary::Square => a.square(),
                    Unary::Sqrt => a.sqrt(),
                    Unary::Exp => a.exp(),
                    Unary::Tanh => a.tanh(),
                }
            }
        }
    }

    fn is_finite(&self) -> bool {
        match self {
            Self::Variable => true,
            Self::Constant(value) => value.is_finite(),
            Self::Add(a, b) | Self::Sub(a, b) | Self::Mul(a, b) => a.is_finite() && b.is_finite(),
            Self::ClampMin(a, bound) | Self::ClampMax(a, bound) => {
                a.is_finite() && bound.is_finite()
            }
            Self::Unary(_, a) => a.is_finite(),
        }
    }
}

/// A constant.
impl From<f64> for Expression {
    fn from(value: f64) -> Self {
        Self(Operation::Constant(value))
    }
}

macro_rules! binary {
    ($($operator:ident $method:ident),+) => {$(
        impl<E: Into<Expression>> $operator<E> for Expression {
            type Output = Self;

            fn $method(self, other: E) -> Self {
                Self(Operation::$operator(Box::new(self.0), Box::new(other.into().0)))
            }
        }
    )+};
}

binary!(Add add, Sub sub, Mul mul);

impl Neg for Expression {
    type Output = Self;

    fn neg(self) -> Self {
        self.unary(Unary::Neg)
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;

    #[test]
    fn tensors_and_numbers_agree() {
        let expressions = [
            Expression::new(|x| x.clone() + x.positive() * 0.25),
            Expression::new(|x| x.clone().abs().sqrt() - x.square()),
            Expression::new(|x| -x.clone().negative() * x.clone().sign() - x.exp() * 0.5),
            Expression::new(|x| x.clamp_min(-0.5).clamp_max(0.25).tanh() - 3.0),
            Expression::new(|_| 1.0),
            Expression::identity(),
        ];
        let x = [-2.0_f64, -0.25, 0.0, 0.125, 3.0];
        let tensor = Tensor::<Flex, 1>::from_data(x, &Default::default());
        for expression in expressions {
            let found: Vec<f32> = expression.of(&tensor).into_data().iter().collect();
            for (found, x) in found.iter().zip(x) {
                let expected = expression.at(x);
                let error = (f64::from(*found) - expected).abs();
                assert!(error <= 1e-5 * expected.abs().max(1.0), "{expression:?} at {x}");
            }
        }
    }
}
