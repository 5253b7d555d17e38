/// The forward pass: a model's weights as kernels, the KV caches of a session, and the order in
/// which they are run. Internal: not exported.
package dev.quern.llama.forward;
