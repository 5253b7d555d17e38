/// Linears over weights that are read where they lie, in F32. Any format has one.
package dev.quern.provider.vector.direct;
