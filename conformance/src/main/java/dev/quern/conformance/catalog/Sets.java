package dev.quern.conformance.catalog;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.cases.CaseText;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.rules.CompiledCases;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.run.Thrown;
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
  static Judgement apart(Candidate target) {
    Judgement verdict = new Judgement();
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
  static Judgement closing(Candidate target) {
    Judgement verdict = new Judgement();
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
      String where, Map<Object, String> expected, Map<Object, String> actual, Judgement verdict) {
    expected.forEach((spec, answer) -> {
      if (!answer.equals(actual.get(spec))) {
        verdict.fail(where + ": " + spec, answer, actual.get(spec));
      }
    });
  }

  /// On a spec of each kind of kernel that there is.
  private static Map<Object, String> answers(KernelSet kernels) {
    Map<Object, String> answers = new LinkedHashMap<>();
    SuiteCatalog.operators().forEach(suite -> add(suite, kernels, answers));
    return answers;
  }

  private static <C extends Record & Case> void add(
      OperatorSuite<C> suite, KernelSet kernels, Map<Object, String> answers) {
    for (CompiledCases<C> kind : suite.compiledCases()) {
      for (C first : kind.firsts()) {
        Object spec = CaseText.with(first, kind.shapes().getFirst()).spec();
        answers.put(spec, answer(OperatorSuite.ask(suite.operator(), spec, kernels)));
      }
    }
  }

  private static String answer(Offer<?> offer) {
    return offer == null ? "null" : ProviderRules.answer(offer);
  }
}
