/// What all kernels share: the vectors, what is done with their lanes, and how work is split.
package dev.quern.provider.vector.lanes;
