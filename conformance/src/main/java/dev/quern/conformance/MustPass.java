package dev.quern.conformance;

import dev.quern.conformance.cases.Case;
import dev.quern.conformance.catalog.ProviderRules;
import dev.quern.conformance.catalog.SuiteCatalog;
import dev.quern.conformance.judge.Candidate;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.Rule;
import dev.quern.conformance.rules.Subject;
import dev.quern.spi.Availability;
import dev.quern.spi.Jit;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.KernelSet;
import dev.quern.spi.Platform;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// A line of the must-pass list: what a report must have if its provider is to be called conforming
/// to this suite's version of SPEC.md. The list follows from the suite, and from what the provider
/// declares on a platform; the provider itself is not needed, nor asked.
///
/// @param operator the operator, and `provider` for the rules of no operator
/// @param check what is checked: `L5_exact_f32`
/// @param subject the kind of spec: `Q4_0 int8-sym-32`
/// @param cases at least so many, of which none may fail. A provider's variants add to them
/// @param conditional whether the check may have nothing to say of any of them: it is about
///   invariant variants, what a packer does besides its work, or what C2 has compiled
/// @since 0.1
/// @stability api
public record MustPass(
    String operator, String check, String subject, int cases, boolean conditional) {
  /// What says nothing of a kernel that keeps its source, or whose packer hands out no tasks.
  private static final Set<String> CONDITIONAL =
      Set.of("P16_source_released", "P12_no_call_waits_for_pack", "P18_failing_pack");

  /// The list: what the provider as a whole must keep, what its offers must, declined ones too, and
  /// what the kernels must that it declares. A check that takes more tries than there were is not
  /// in it.
  ///
  /// @param support what the provider declares
  /// @param platform where it was tested
  /// @param settings how much was tried
  public static List<MustPass> of(Support support, Platform platform, Settings settings) {
    List<MustPass> all = new ArrayList<>();
    for (ProviderRules.ProviderRule rule : ProviderRules.whole()) {
      all.add(new MustPass("provider", rule.testName(), "all", 1, false));
    }
    for (OperatorSuite<?> suite : SuiteCatalog.operators()) {
      all.addAll(of(suite, support, platform, settings));
    }
    return all;
  }

  private static <C extends Record & Case> List<MustPass> of(
      OperatorSuite<C> suite, Support support, Platform platform, Settings settings) {
    List<MustPass> all = new ArrayList<>();
    for (Subject<C> subject : suite.subjects(new Absent(platform, support))) {
      for (Rule<C> rule : ProviderRules.offers(suite)) {
        int cases = new RuleCases<>(subject, rule, settings).count();
        all.add(new MustPass(suite.name(), rule.testName(), subject.label(), cases, false));
      }
      for (Rule<C> rule : suite.rules()) {
        RuleCases<C> cases = new RuleCases<>(subject, rule, settings);
        if (rule.applies().test(subject.first())
            && rule.effort().leftOut(settings.tries()).isEmpty()
            && cases.edges().stream().anyMatch(c -> support.declares(suite.query(c), platform))) {
          boolean conditional =
              rule.id().equals("P21")
                  || CONDITIONAL.contains(rule.testName())
                  || rule.id().equals("P14") && platform.jit() != Jit.C2;
          all.add(
              new MustPass(
                  suite.name(), rule.testName(), subject.label(), cases.count(), conditional));
        }
      }
    }
    return all;
  }

  /// In the place of a provider that is not here: declines all.
  private record Absent(Platform platform, Support support) implements Candidate {
    @Override
    public KernelProvider provider() {
      throw new UnsupportedOperationException("the provider is not here");
    }

    @Override
    public Availability availability() {
      return new Availability.Ready(new KernelSet() {}, "");
    }
  }
}
