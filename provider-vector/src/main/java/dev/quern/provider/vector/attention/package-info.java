/// Attention, tile by tile of the cache.
package dev.quern.provider.vector.attention;
