package dev.quern.conformance.cases;

/// The random numbers of a case: SplitMix64 (Steele, Lea and Flood 2014), written out here so that
/// a replay string gives the same operands on every machine and in every release.
///
/// The state begins as `mix(seed) ^ fnv1a(stream)`, and each operand has its own stream, so that a
/// change of one operand's shape leaves the others as they were.
public final class Mix {
  private long state;

  /// @param seed the case's seed
  /// @param stream what the numbers are for, for example `x`
  public Mix(long seed, String stream) {
    this.state = mix(seed) ^ fnv1a(stream);
  }

  /// The next 64 bits.
  public long next() {
    state += 0x9e3779b97f4a7c15L;
    return mix(state);
  }

  /// An integer in `0 .. bound - 1`.
  public int below(int bound) {
    // 31 bits, so that the division is one of 32: of 64 it takes several times as long on many
    // CPUs.
    return (int) (next() >>> 33) % bound;
  }

  /// True once in `n` times.
  public boolean oneIn(int n) {
    return below(n) == 0;
  }

  /// A number in 0 .. 1, 1 excluded, with 53 bits.
  public double uniform() {
    return (next() >>> 11) * 0x1p-53;
  }

  /// About a normal distribution: twelve uniform numbers less 6 (Irwin and Hall), so within -6 ..
  /// 6.
  public double normal() {
    double sum = -6;
    for (int i = 0; i < 12; i++) {
      sum += uniform();
    }
    return sum;
  }

  /// A magnitude of `2^from .. 2^to`, its logarithm uniform, of either sign.
  public double wide(int from, int to) {
    double magnitude = Math.scalb(1 + uniform(), from + below(to - from));
    return (next() & 1) == 0 ? magnitude : -magnitude;
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }

  private static long fnv1a(String s) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < s.length(); i++) {
      hash = (hash ^ s.charAt(i)) * 0x100000001b3L;
    }
    return hash;
  }
}
