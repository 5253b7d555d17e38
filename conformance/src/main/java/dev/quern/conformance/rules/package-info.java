/// What rules are: [Rule], on a [Subject] of an [OperatorSuite]. `KernelRules` has those that the
/// kernels of all operators share; an operator's own lie in its package.
package dev.quern.conformance.rules;
