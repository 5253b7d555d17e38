/// Attention, section A of SPEC.md: its cases, kernels with a cache, rules, and what is right, in
/// double precision.
package dev.quern.conformance.attention;
