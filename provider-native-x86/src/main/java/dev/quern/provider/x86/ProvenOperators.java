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
import dev.quern.provider.x86.memory.NativeRoutines;
import dev.quern.spi.Offer;
import java.io.UncheckedIOException;
import java.lang.ref.WeakReference;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/// The operators of a row of the table of CPUs, each kind of code held against an answer that plain
/// Java knows before it serves: what is wrong is declined. That is asked for once and remembered.
final class ProvenOperators {
  /// One for all models of the process, as long as any provider holds it: the second model finds
  /// the code assembled and proven, and a process that loads models again and again never has more
  /// of it than the collector has not got to yet. Nothing in it depends on a model.
  private static final Map<Kind, WeakReference<ProvenOperators>> SHARED = new HashMap<>();

  /// @param invariant whether all offers promise that
  private record Kind(CpuRow row, boolean invariant) {}

  private final CpuRow row;
  private final OperatorTable table;

  /// What is wrong with the answer to a question; empty where it is right.
  private final Map<Object, Optional<String>> answers = new ConcurrentHashMap<>();

  ProvenOperators(CpuRow row, OperatorTable table) {
    this.row = row;
    this.table = table;
  }

  static ProvenOperators shared(CpuRow row, boolean invariant) {
    Kind kind = new Kind(row, invariant);
    synchronized (SHARED) {
      WeakReference<ProvenOperators> known = SHARED.get(kind);
      ProvenOperators operators = known == null ? null : known.get();
      if (operators == null) {
        OperatorTable table =
            OperatorTable.of(row, invariant, NativeRoutines::load, NativeRoutines::loadWide);
        operators = new ProvenOperators(row, table);
        SHARED.put(kind, new WeakReference<>(operators));
      }
      return operators;
    }
  }

  Offer<LinearPacker> linear(LinearSpec spec) {
    return proven(
        table.linear(),
        spec,
        KnownLinear.question(spec),
        (question, offer) ->
            KnownLinear.wrong(
                question, offer.variants(), s -> OperatorTable.first(table.linear(), s)));
  }

  Offer<AttentionKernel> attention(AttentionSpec spec) {
    return proven(table.attention(), spec, KnownAttention.question(spec), KnownAttention::wrong);
  }

  Offer<RmsNormKernel> rmsNorm(RmsNormSpec spec) {
    return proven(table.rmsNorm(), spec, KnownRows.question(spec), KnownRows::wrongRmsNorm);
  }

  Offer<RopeKernel> rope(RopeSpec spec) {
    return proven(table.rope(), spec, KnownRows.question(spec), KnownRows::wrongRope);
  }

  Offer<SwiGluKernel> swiGlu(SwiGluSpec spec) {
    return proven(table.swiGlu(), spec, KnownRows.question(spec), KnownRows::wrongSwiGlu);
  }

  /// A check of what a factory offers for a question.
  @FunctionalInterface
  private interface Check<S, K> {
    Optional<String> wrong(S question, Offer.Accepted<K> offer);
  }

  /// @param question a small spec that the same code runs
  private <S, K> Offer<K> proven(
      List<Function<S, Offer<K>>> factories, S spec, S question, Check<S, K> check) {
    try {
      Offer<K> offer = OperatorTable.first(factories, spec);
      if (offer instanceof Offer.Declined<K>) {
        return offer;
      }
      Optional<String> wrong = answers.get(question);
      if (wrong == null) {
        wrong = ask(factories, question, check);
        answers.put(question, wrong);
      }
      return wrong.isEmpty() ? offer : Offer.declined(wrong.get());
    } catch (UncheckedIOException e) {
      return Offer.declined("its listing can't be written: " + e.getMessage());
    }
  }

  private <S, K> Optional<String> ask(
      List<Function<S, Offer<K>>> factories, S question, Check<S, K> check) {
    if (!(OperatorTable.first(factories, question) instanceof Offer.Accepted<K> accepted)) {
      return Optional.of("it declines " + question + ", whose answer is known");
    }
    Optional<String> wrong;
    try {
      wrong = check.wrong(question, accepted);
    } catch (RuntimeException e) {
      wrong = Optional.of("it threw " + e);
    }
    return wrong.map(w ->
        String.format(
            Locale.ROOT,
            "a case whose answer is known is wrong on this CPU (row %s, %s): %s",
            row,
            accepted.variants().getFirst().name(),
            w));
  }
}
