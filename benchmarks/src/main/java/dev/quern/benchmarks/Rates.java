package dev.quern.benchmarks;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/// Work beside the score: JMH divides both by the time, so they come out as billions a second.
@State(Scope.Thread)
@AuxCounters(AuxCounters.Type.OPERATIONS)
public class Rates {
  /// Billions of multiply-adds, where the operator is made of them.
  public double gmac;

  /// Billions of bytes that the operator must read and write at least once.
  public double gb;

  void add(double macs, double bytes) {
    gmac += macs * 1e-9;
    gb += bytes * 1e-9;
  }
}
