package dev.quern.conformance.hostile;

import dev.quern.conformance.Target;
import java.util.function.Function;

/// A provider that keeps every rule but one: the scalar one, with one fault that real kernels have
/// had.
///
/// @param id for people: `linear-tail-lost-above-6144-inputs`
/// @param kind what it hides behind
/// @param operator where it shows: `linear`, `attention`, `rmsnorm`, `rope`, `swiglu`
/// @param rule of SPEC.md that it breaks: `L5`
/// @param sentence what is wrong, and how a kernel comes to it
/// @param fault turns the right provider into this one; called once for each provider that is made
record Hostile(
    String id,
    Kind kind,
    String operator,
    String rule,
    String sentence,
    Function<HostileProvider, HostileProvider> fault) {

  /// A new provider with the fault: it has seen no call yet.
  HostileProvider provider() {
    return fault.apply(new HostileProvider());
  }

  /// It, on this machine.
  Target target() {
    return Target.here(provider());
  }

  @Override
  public String toString() {
    return id;
  }
}
