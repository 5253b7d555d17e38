/// The rules of SPEC.md as checks, operator by operator; `KernelRules` has those that all kernels
/// share.
package dev.quern.conformance.rules;
