/// From a checkpoint to kernels: which of them a model needs, the memory that they and a session
/// take, packing, and what is done on other threads meanwhile. Internal: not exported.
package dev.quern.llama.load;
