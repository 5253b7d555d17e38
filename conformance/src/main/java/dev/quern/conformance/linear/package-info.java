/// Linear operators, section L of SPEC.md: their cases, kernels with operands, rules, and what is
/// right: weights decoded by SPEC.md, activations rounded by its numerics, sums in double
/// precision.
package dev.quern.conformance.linear;
