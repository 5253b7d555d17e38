/// What is right: weights decoded by SPEC.md, activations rounded by its numerics, results in
/// double precision, and the error bounds. No code is shared with the api's codecs or with any
/// provider.
package dev.quern.conformance.oracle;
