/// What the machine has for a model, as far as the system tells: cores and their quota, memory that
/// is left, huge pages. Knows nothing of models. Internal: not exported.
package dev.quern.llama.machine;
