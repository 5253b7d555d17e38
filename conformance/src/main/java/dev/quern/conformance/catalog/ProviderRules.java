package dev.quern.conformance.catalog;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.judge.Judgement;
import dev.quern.conformance.judge.Outcome;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.run.Thrown;
import dev.quern.data.BlockFormat;
import dev.quern.data.KvFormat;
import dev.quern.data.ScalePlane;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearSpec;
import dev.quern.op.Numerics;
import dev.quern.spi.Availability;
import dev.quern.spi.Jit;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Offer;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// Rules P1 to P4 and P22, and the declaration: what a provider is before any kernel is called.
public final class ProviderRules {
  /// The rule that has no number in SPEC.md.
  public static final String SUPPORT = "support";

  /// Numerics that nobody has heard of.
  private static final Numerics UNHEARD = new Numerics("int3-sym-24", 3, 24, true);

  private ProviderRules() {}

  /// A rule about a provider as a whole.
  public record ProviderRule(String id, String name, Check check) {
    /// Checks it.
    @FunctionalInterface
    public interface Check {
      Judgement check(Candidate target);
    }

    public String testName() {
      return id + "_" + name;
    }
  }

  /// The rules about the provider as a whole.
  public static List<ProviderRule> whole() {
    return List.of(
        new ProviderRule("P1", "name", ProviderRules::name),
        new ProviderRule("P2", "spec_version", ProviderRules::specVersion),
        new ProviderRule("P3", "open", ProviderRules::open),
        new ProviderRule("P4", "unknown_formats", ProviderRules::unknownFormats),
        new ProviderRule("P4", "unknown_numerics", ProviderRules::unknownNumerics),
        new ProviderRule("P22", "sets_apart", Sets::apart),
        new ProviderRule("P22", "close", Sets::closing),
        new ProviderRule(SUPPORT, "declaration", ProviderRules::declaration),
        new ProviderRule(SUPPORT, "accepts_something", ProviderRules::acceptsSomething));
  }

  /// The rules about its offers, on the cases of an operator: on those that it declines, too.
  public static <C extends Record & Case> List<Rule<C>> offers(OperatorSuite<C> suite) {
    return List.of(
        Rule.<C>of("P4", "same_answer", (c, target) -> sameAnswer(suite, c, target)),
        Rule.<C>of(SUPPORT, "as_declared", (c, target) -> asDeclared(suite, c, target)));
  }

  private static Judgement name(Candidate target) {
    Judgement verdict = new Judgement();
    String name = target.provider().name();
    if (name == null || !name.matches("[a-z][a-z0-9_-]*")) {
      verdict.fail("name()", "a letter, then letters, digits, - and _, all lower case", "" + name);
    }
    return verdict;
  }

  private static Judgement specVersion(Candidate target) {
    Judgement verdict = new Judgement();
    int version = target.provider().specVersion();
    if (Spec.major(version) != Spec.major(Spec.VERSION)
        || Spec.minor(version) > Spec.minor(Spec.VERSION)) {
      verdict.fail(
          "specVersion()",
          String.format(
              Locale.ROOT, "%d.0 to %s", Spec.major(Spec.VERSION), Spec.text(Spec.VERSION)),
          String.format(Locale.ROOT, "%d (%s)", version, Spec.text(version)));
    }
    return verdict;
  }

  /// Every kind of platform, this one and others: each has an answer, and the same one twice.
  private static Judgement open(Candidate target) {
    Judgement verdict = new Judgement();
    KernelProvider provider = target.provider();
    for (String os : List.of("linux", "macos", "windows", "aix")) {
      for (String arch : List.of("x86_64", "aarch64", "s390x")) {
        for (Jit jit : Jit.values()) {
          for (Set<String> features :
              List.of(
                  Set.<String>of(),
                  Set.of("avx2", "avx512f", "fma"),
                  Set.of("asimd", "dotprod", "i8mm", "sve", "sve2", "sme", "sme2"))) {
            for (Set<String> modules :
                List.of(Set.of("java.base"), Set.of("java.base", "jdk.incubator.vector"))) {
              answers(provider, new Platform(os, arch, features, jit, modules, Map.of()), verdict);
            }
          }
        }
      }
    }
    answers(provider, target.platform(), verdict);
    return verdict;
  }

  private static void answers(KernelProvider provider, Platform platform, Judgement verdict) {
    String where = String.format(Locale.ROOT, "open(%s)", platform);
    try {
      Availability first = provider.open(platform);
      Availability second = provider.open(platform);
      if (first == null || second == null) {
        verdict.fail(where, "an answer", "null");
      } else if (first instanceof Availability.Unavailable u && u.reason().isBlank()) {
        verdict.fail(where, "a reason", "an empty one");
      } else if (!text(first).equals(text(second))) {
        verdict.fail(where, text(first) + " again", text(second));
      }
      Sets.close(first, second);
    } catch (Throwable e) {
      verdict.fail(where, "an answer", Thrown.text(e));
    }
  }

  private static String text(Availability a) {
    return switch (a) {
      case Availability.Ready r -> "ready: " + r.detail();
      case Availability.Unavailable u -> u.toString();
    };
  }

  /// Formats that nobody has heard of are declined, with a reason.
  private static Judgement unknownFormats(Candidate target) {
    Judgement verdict = new Judgement();
    BlockFormat format = new BlockFormat("X3_Z", 24, 9, ScalePlane.INLINE);
    KvFormat cache = new KvFormat("X3_Z", 3);
    LinearSpec linear = new LinearSpec(format, 8, 48, false, Set.copyOf(Numerics.standard()));
    declines(linear.toString(), () -> target.kernels().linear(linear), verdict);
    AttentionSpec attention = new AttentionSpec(2, 1, 8, 16, 0.25f, cache);
    declines(attention.toString(), () -> target.kernels().attention(attention), verdict);
    LinearSpec tolerant = new LinearSpec(BlockFormat.F32, 8, 48, false, Set.of(UNHEARD));
    declines(tolerant.toString(), () -> target.kernels().linear(tolerant), verdict);
    return verdict;
  }

  /// Numerics of a later version among those that are tolerated are no reason to throw, nor to run
  /// with them.
  private static Judgement unknownNumerics(Candidate target) {
    Judgement verdict = new Judgement();
    Set<Numerics> tolerated = new HashSet<>(Numerics.standard());
    tolerated.add(UNHEARD);
    for (BlockFormat format : BlockFormat.standard()) {
      LinearSpec spec = new LinearSpec(format, 8, 256, false, tolerated);
      try {
        Offer<?> offer = target.kernels().linear(spec);
        if (offer == null) {
          verdict.fail(spec.toString(), "accepted or declined", "null");
        } else if (offer instanceof Offer.Accepted<?> a
            && a.variants().stream().anyMatch(v -> v.numerics().equals(UNHEARD))) {
          verdict.fail(spec.toString(), "numerics that it knows", answer(offer));
        }
      } catch (Throwable e) {
        verdict.fail(spec.toString(), "an answer", Thrown.text(e));
      }
    }
    return verdict;
  }

  private interface Asked {
    Offer<?> offer();
  }

  private static void declines(String spec, Asked asked, Judgement verdict) {
    try {
      if (!(asked.offer() instanceof Offer.Declined<?>)) {
        verdict.fail(spec, "declined: nobody knows it", "" + asked.offer());
      }
    } catch (Throwable e) {
      verdict.fail(spec, "declined: nobody knows it", Thrown.text(e));
    }
  }

  private static Judgement declaration(Candidate target) {
    Judgement verdict = new Judgement();
    if (!target.support().problem().isEmpty()) {
      verdict.fail(
          target.support().source(), "a declaration that can be read", target.support().problem());
    }
    return verdict;
  }

  private static Judgement acceptsSomething(Candidate target) {
    Judgement verdict = new Judgement();
    boolean ready = target.availability() instanceof Availability.Ready;
    if (ready && SuiteCatalog.operators().stream().noneMatch(suite -> accepts(suite, target))) {
      verdict.fail("all operators", "at least one spec accepted", "all declined");
    }
    return verdict;
  }

  private static <C extends Record & Case> boolean accepts(
      OperatorSuite<C> suite, Candidate target) {
    return suite.subjects(target).stream()
        .flatMap(s -> s.edges().stream())
        .anyMatch(c -> suite.offer(c, target) instanceof Offer.Accepted<?>);
  }

  private static <C extends Record & Case> Outcome sameAnswer(
      OperatorSuite<C> suite, C c, Candidate target) {
    Judgement verdict = new Judgement();
    Offer<?> first = suite.offer(c, target);
    Offer<?> second = suite.offer(c, target);
    if (first == null || second == null) {
      verdict.fail("the offer", "accepted or declined", "null");
    } else if (!answer(first).equals(answer(second))) {
      verdict.fail("the second offer", answer(first), answer(second));
    }
    return verdict.outcome();
  }

  static String answer(Offer<?> offer) {
    return switch (offer) {
      case Offer.Accepted<?> a -> "accepted " + a.variants();
      case Offer.Declined<?> d -> "declined: " + d.reason();
    };
  }

  private static <C extends Record & Case> Outcome asDeclared(
      OperatorSuite<C> suite, C c, Candidate target) {
    if (!target.support().problem().isEmpty()) {
      return new Outcome.Skip("no declaration: " + target.support().problem());
    }
    boolean declared = target.support().declares(suite.query(c), target.platform());
    Offer<?> offer = suite.offer(c, target);
    Judgement verdict = new Judgement();
    if (declared != (offer instanceof Offer.Accepted<?>)) {
      verdict.fail(
          suite.query(c).toString(),
          declared
              ? String.format(Locale.ROOT, "accepted: %s declares it", target.support().source())
              : String.format(
                  Locale.ROOT, "declined: %s does not declare it", target.support().source()),
          answer(offer));
    }
    return verdict.outcome();
  }
}
