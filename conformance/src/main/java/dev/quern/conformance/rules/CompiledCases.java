package dev.quern.conformance.rules;

import java.util.List;

/// What kernels are called with until they are compiled.
///
/// @param firsts a case for each kind of kernel: weight format, cache format, pairing
/// @param shapes changes to a case, by rising size: a small call, one with tails in every
///   dimension, one as models have them
public record CompiledCases<C>(List<C> firsts, List<String> shapes) {
  public CompiledCases {
    firsts = List.copyOf(firsts);
    shapes = List.copyOf(shapes);
  }
}
