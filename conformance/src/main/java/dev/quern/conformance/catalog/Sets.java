package dev.quern.conformance.catalog;

import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Verdict;
import dev.quern.conformance.run.Thrown;
import dev.quern.data.BlockFormat;
import dev.quern.data.KvFormat;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.op.RmsNormSpec;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.op.SwiGluSpec;
import dev.quern.spi.Availability;
import dev.quern.spi.Jit;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Rule P22: sets of kernels that are open at once know nothing of each other.
final class Sets {
  private Sets() {}

  /// A set's answers are the same before, while and after others are open, on platforms that differ
  /// in everything, and its platform's alone.
  static Verdict apart(Candidate target) {
    Verdict verdict = new Verdict();
    if (!(target.provider().open(target.platform()) instanceof Availability.Ready first)) {
      return verdict;
    }
    Map<Object, String> expected = answers(first.kernels());
    List<Availability> others = new ArrayList<>();
    for (Platform platform : platforms(target.platform())) {
      Availability other = target.provider().open(platform);
      others.add(other);
      same("with a set open for " + platform, expected, answers(first.kernels()), verdict);
      if (platform.equals(target.platform()) && other instanceof Availability.Ready again) {
        same("a second set", expected, answers(again.kernels()), verdict);
      }
    }
    for (Availability other : others) {
      close(other);
      same("once others are closed", expected, answers(first.kernels()), verdict);
    }
    close(first);
    return verdict;
  }

  /// Closing is harmless to others, and where it is repeated.
  static Verdict closing(Candidate target) {
    Verdict verdict = new Verdict();
    Availability closed = target.provider().open(target.platform());
    Availability open = target.provider().open(target.platform());
    if (!(closed instanceof Availability.Ready first
        && open instanceof Availability.Ready second)) {
      return verdict;
    }
    Map<Object, String> expected = answers(second.kernels());
    for (String time : List.of("close()", "close() again")) {
      try {
        first.kernels().close();
      } catch (Throwable e) {
        verdict.fail(time, "nothing", Thrown.text(e));
      }
      same("another set, after " + time, expected, answers(second.kernels()), verdict);
    }
    close(second);
    Availability later = target.provider().open(target.platform());
    if (later instanceof Availability.Ready third) {
      same("a set opened when all were closed", expected, answers(third.kernels()), verdict);
    } else {
      verdict.fail("a set opened when all were closed", "ready", String.valueOf(later));
    }
    close(later);
    return verdict;
  }

  static void close(Availability... answers) {
    for (Availability answer : answers) {
      if (answer instanceof Availability.Ready ready) {
        ready.kernels().close();
      }
    }
  }

  /// This platform; it without features, and asked for invariant kernels; and another one.
  private static List<Platform> platforms(Platform here) {
    Platform bare =
        new Platform(
            here.os(),
            here.arch(),
            Set.of(),
            here.jit(),
            here.modules(),
            here.properties(),
            here.flags());
    Platform invariant =
        new Platform(
            here.os(),
            here.arch(),
            here.cpuFeatures(),
            here.jit(),
            here.modules(),
            Map.of("quern.numerics", "invariant"),
            here.flags());
    Platform other =
        new Platform("aix", "s390x", Set.of(), Jit.UNKNOWN, Set.of("java.base"), Map.of());
    return List.of(here, bare, invariant, other);
  }

  private static void same(
      String where, Map<Object, String> expected, Map<Object, String> actual, Verdict verdict) {
    expected.forEach((spec, answer) -> {
      if (!answer.equals(actual.get(spec))) {
        verdict.fail(where + ": " + spec, answer, actual.get(spec));
      }
    });
  }

  private static Map<Object, String> answers(KernelSet kernels) {
    Map<Object, String> answers = new LinkedHashMap<>();
    for (BlockFormat format : BlockFormat.standard()) {
      LinearSpec spec = new LinearSpec(format, 8, 256, false, Set.copyOf(Numerics.standard()));
      answers.put(spec, answer(kernels.linear(spec)));
    }
    for (KvFormat kv : List.of(KvFormat.F32, KvFormat.F16)) {
      AttentionSpec spec = new AttentionSpec(4, 2, 64, 16, 0.125f, kv);
      answers.put(spec, answer(kernels.attention(spec)));
    }
    RmsNormSpec norm = new RmsNormSpec(64, 1e-5f);
    answers.put(norm, answer(kernels.rmsNorm(norm)));
    for (RopePairing pairing : RopePairing.values()) {
      RopeSpec spec = new RopeSpec(4, 64, pairing);
      answers.put(spec, answer(kernels.rope(spec)));
    }
    SwiGluSpec gates = new SwiGluSpec(64);
    answers.put(gates, answer(kernels.swiGlu(gates)));
    return answers;
  }

  private static String answer(Offer<?> offer) {
    return offer == null ? "null" : ProviderRules.answer(offer);
  }
}
