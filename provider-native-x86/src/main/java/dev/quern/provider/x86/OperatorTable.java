package dev.quern.provider.x86;

import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.RmsNormKernel;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluKernel;
import dev.quern.op.SwiGluSpec;
import dev.quern.provider.x86.cpu.CpuRow;
import dev.quern.provider.x86.linear.X86Linears;
import dev.quern.provider.x86.memory.RoutineLoader;
import dev.quern.spi.Offer;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/// Who offers each operator on a row of the table of CPUs. The first that accepts a spec runs it,
/// so the faster stand first; a new family of kernels is put in here and nowhere else.
record OperatorTable(
    List<Function<LinearSpec, Offer<LinearPacker>>> linear,
    List<Function<AttentionSpec, Offer<AttentionKernel>>> attention,
    List<Function<RmsNormSpec, Offer<RmsNormKernel>>> rmsNorm,
    List<Function<RopeSpec, Offer<RopeKernel>>> rope,
    List<Function<SwiGluSpec, Offer<SwiGluKernel>>> swiGlu) {

  /// @param loader what makes code callable; all code of all operators goes through it
  static OperatorTable of(CpuRow row, RoutineLoader loader) {
    return new OperatorTable(
        List.of(new X86Linears(row, loader)::offer), List.of(), List.of(), List.of(), List.of());
  }

  /// The first offer that accepts; else the reasons of all.
  static <S, K> Offer<K> first(List<Function<S, Offer<K>>> factories, S spec) {
    Set<String> reasons = new LinkedHashSet<>();
    for (Function<S, Offer<K>> factory : factories) {
      switch (factory.apply(spec)) {
        case Offer.Accepted<K> accepted -> {
          return accepted;
        }
        case Offer.Declined<K> declined -> reasons.add(declined.reason());
      }
    }
    return Offer.declined(
        reasons.isEmpty() ? "no machine code for this operator" : String.join("; ", reasons));
  }
}
