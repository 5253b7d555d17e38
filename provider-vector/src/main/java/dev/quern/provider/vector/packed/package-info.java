/// Linears over weights that are packed at load, in panels whose lanes are outputs.
package dev.quern.provider.vector.packed;
