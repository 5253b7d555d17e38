/// Views over memory that the caller owns: matrices, weights, KV caches, and the caller's threads.
///
/// Everything is little-endian and off-heap. The records here check shapes against segment sizes;
/// liveness, confinement and aliasing are checked by the façade when a kernel is called.
package dev.quern.data;
