/// Measurements: JMH over the operators as an application calls them, and comparisons of the whole
/// product with llama.cpp.
package dev.quern.benchmarks;
