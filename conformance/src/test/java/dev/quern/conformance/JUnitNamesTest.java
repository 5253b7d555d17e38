package dev.quern.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.quern.conformance.catalog.ProviderRules;
import dev.quern.conformance.catalog.SuiteCatalog;
import dev.quern.conformance.rules.OperatorSuite;
import dev.quern.conformance.rules.Rule;
import dev.quern.data.KvFormat;
import dev.quern.op.AttentionKernel;
import dev.quern.op.AttentionSpec;
import dev.quern.op.LinearPacker;
import dev.quern.op.LinearSpec;
import dev.quern.op.RopeKernel;
import dev.quern.op.RopePairing;
import dev.quern.op.RopeSpec;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Offer;
import dev.quern.testing.LeftOut;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.ClasspathResourceSource;
import org.junit.platform.launcher.EngineFilter;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/// The tests of an author's classes have names and tags that no tool mixes up. `SurefireMatrixTest`
/// asks Surefire itself.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class JUnitNamesTest {
  /// All tests of all classes below, one after the other.
  private final Results all =
      run(
          OneConfiguration.class,
          OtherConfiguration.class,
          SeveralOfOneOperator.class,
          NotNested.class);

  private static final Settings FEW = new Settings(1, 1, Optional.empty());

  /// Accepts RMSNorm and SwiGLU, and RoPE of one pairing: few tests of every kind.
  private static final class Small extends WrappedProvider {
    @Override
    public Offer<LinearPacker> linear(LinearSpec spec) {
      return Offer.declined("no linear");
    }

    @Override
    public Offer<AttentionKernel> attention(AttentionSpec spec) {
      boolean plain = spec.window() == 0 && spec.softCap() == 0;
      return plain && spec.kv().equals(KvFormat.F32)
          ? super.attention(spec)
          : Offer.declined("no F16, no window, no cap");
    }

    @Override
    public Offer<RopeKernel> rope(RopeSpec spec) {
      return spec.pairing() == RopePairing.ADJACENT
          ? super.rope(spec)
          : Offer.declined("other pairing");
    }
  }

  private static final Support SUPPORT =
      Support.parse(
          "here", "attention F32\nrmsnorm rows,groups\nrope adjacent\nswiglu silu,gelu-tanh");

  /// What an author with several configurations writes: the operators once.
  abstract static class Operators {
    Settings settings() {
      return FEW;
    }

    @Nested
    class Provider extends ProviderConformance {
      @Override
      protected Support support() {
        return SUPPORT;
      }

      @Override
      protected KernelProvider provider() {
        return new Small();
      }

      @Override
      protected Settings settings() {
        return Operators.this.settings();
      }
    }

    @Nested
    class Linear extends LinearConformance {
      @Override
      protected KernelProvider provider() {
        return new Small();
      }

      @Override
      protected Settings settings() {
        return Operators.this.settings();
      }
    }

    @Nested
    class Norm extends RmsNormConformance {
      @Override
      protected KernelProvider provider() {
        return new Small();
      }

      @Override
      protected Settings settings() {
        return Operators.this.settings();
      }
    }

    @Nested
    @Tag("mine")
    class Gate extends SwiGluConformance {
      @Override
      protected KernelProvider provider() {
        return new Small();
      }

      @Override
      protected Settings settings() {
        return Operators.this.settings();
      }
    }

    @Nested
    class Rotation extends RopeConformance {
      @Override
      protected KernelProvider provider() {
        return new Small();
      }

      @Override
      protected Settings settings() {
        return Operators.this.settings();
      }
    }
  }

  static class OneConfiguration extends Operators {}

  static class OtherConfiguration extends Operators {
    /// Its tests have names, too, and what they try is what the first's do.
    @Override
    Settings settings() {
      return new Settings(0, 1, Optional.empty());
    }
  }

  /// Two classes of one operator in one class, and one more deeper down.
  static class SeveralOfOneOperator {
    @Nested
    class First extends RmsNormConformance {
      @Override
      protected KernelProvider provider() {
        return new Small();
      }

      @Override
      protected Settings settings() {
        return FEW;
      }
    }

    @Nested
    class Deeper {
      @Nested
      class First extends RmsNormConformance {
        @Override
        protected KernelProvider provider() {
          return new Small();
        }

        @Override
        protected Settings settings() {
          return FEW;
        }
      }
    }
  }

  static class NotNested extends RmsNormConformance {
    @Override
    protected KernelProvider provider() {
      return new Small();
    }

    @Override
    protected Settings settings() {
      return FEW;
    }
  }

  static class MistypedReplay extends Operators {
    @Override
    Settings settings() {
      return new Settings(0, 1, Optional.of("N2_non_finite_x/rmsnrom:width=2"));
    }
  }

  static class OneReplay extends Operators {
    @Override
    Settings settings() {
      String replay =
          "N2_non_finite_x/rmsnorm:width=2,epsilon=1.0E-5,rows=1,xPad=0,yPad=0,inPlace=false,x=normal,schedule=1/sequential,seed=349";
      return new Settings(0, 1, Optional.of(replay));
    }
  }

  /// A test that has run.
  private record Ran(
      TestIdentifier id, List<TestIdentifier> above, TestExecutionResult.Status status) {
    String name() {
      return id.getDisplayName();
    }

    /// As Surefire knows it before 3.5.4.
    String keyByNodeAbove() {
      return above.getFirst().getDisplayName() + "." + name();
    }

    /// As Surefire 3.5.4 to 3.5.6 know it.
    String keyByOutermostClass() {
      return ((ClassSource) above.get(above.size() - 2).getSource().orElseThrow()).getClassName()
          + "."
          + name();
    }
  }

  private static final class Results implements TestExecutionListener {
    final List<Ran> tests = new ArrayList<>();
    final List<String> failedContainers = new ArrayList<>();
    private TestPlan plan;

    @Override
    public void testPlanExecutionStarted(TestPlan plan) {
      this.plan = plan;
    }

    @Override
    public synchronized void executionFinished(TestIdentifier id, TestExecutionResult result) {
      if (id.isTest()) {
        List<TestIdentifier> above = new ArrayList<>();
        for (Optional<TestIdentifier> p = plan.getParent(id);
            p.isPresent();
            p = plan.getParent(p.get())) {
          above.add(p.get());
        }
        tests.add(new Ran(id, above, result.getStatus()));
      } else if (result.getStatus() != TestExecutionResult.Status.SUCCESSFUL) {
        failedContainers.add(result.getThrowable().orElseThrow().getMessage());
      }
    }

    /// What one outermost class runs.
    Results of(Class<?> outermost) {
      Results part = new Results();
      tests.stream()
          .filter(r -> r.keyByOutermostClass().startsWith(outermost.getName() + "."))
          .forEach(part.tests::add);
      return part;
    }

    Set<String> names() {
      return tests.stream().map(Ran::name).collect(Collectors.toCollection(TreeSet::new));
    }
  }

  private static Results run(List<String> tags, boolean parallel, Class<?>... classes) {
    Results record = new Results();
    LauncherFactory.create()
        .execute(
            LauncherDiscoveryRequestBuilder.request()
                .selectors(
                    Arrays.stream(classes).<DiscoverySelector>map(c -> selectClass(c)).toList())
                .filters(EngineFilter.includeEngines("junit-jupiter"))
                .filters(TagFilter.includeTags(tags.isEmpty() ? List.of("any()") : tags))
                .configurationParameter(
                    "junit.jupiter.execution.parallel.enabled", Boolean.toString(parallel))
                .configurationParameter(
                    "junit.jupiter.execution.parallel.mode.default", "concurrent")
                .build(),
            record);
    return record;
  }

  private static Results run(Class<?>... classes) {
    return run(List.of(), false, classes);
  }

  @Test
  void noTwoTestsHaveOneKey() {
    Results record = all;
    assertEquals(List.of(), record.failedContainers);
    assertTrue(record.tests.size() > 400, "tests: " + record.tests.size());
    Set<String> byAbove = new HashSet<>();
    Set<String> byOutermost = new HashSet<>();
    for (Ran ran : record.tests) {
      assertTrue(byAbove.add(ran.keyByNodeAbove()), ran.keyByNodeAbove());
      assertTrue(byOutermost.add(ran.keyByOutermostClass()), ran.keyByOutermostClass());
      // A Java method as the source would give it the method's name.
      ClasspathResourceSource source = (ClasspathResourceSource) ran.id.getSource().orElseThrow();
      assertEquals("dev/quern/conformance/SPEC.md", source.getClasspathResourceName());
    }
    String here = JUnitNamesTest.class.getName();
    assertTrue(
        byAbove.containsAll(
            Set.of(
                here + "$OneConfiguration$Norm.N2_non_finite_x [F32]",
                here + "$OtherConfiguration$Norm.N2_non_finite_x [F32]",
                here + "$SeveralOfOneOperator$First.N2_non_finite_x [F32] (First)",
                here + "$SeveralOfOneOperator$Deeper$First.N2_non_finite_x [F32] (Deeper.First)",
                here + "$NotNested.N2_non_finite_x [F32]",
                here + "$NotNested.P7_stays_in_bounds [rmsnorm F32]")),
        byAbove.toString());
  }

  /// What is reported under JUnit is what the command line reports, but for what is declined.
  @Test
  void theTestsAreTheSuites() {
    Target target = new Target(new Small(), Target.here(new Small()).platform(), SUPPORT);
    Selection operators =
        new Selection(
            Set.of("provider", "linear", "rmsnorm", "rope", "swiglu"), Set.of(), Set.of());
    Set<String> suite =
        Suite.run(target, FEW, operators, c -> {}).cells().stream()
            .filter(c -> c.passes() + c.failures() > 0 || !declined(c))
            .map(CellResult::title)
            .collect(Collectors.toCollection(TreeSet::new));
    Results record = all.of(OneConfiguration.class);
    Set<String> junit =
        record.names().stream()
            .filter(
                n -> !n.endsWith("all]") && !n.startsWith("rope [") && !n.startsWith("linear ["))
            .filter(n -> !n.contains("[attention "))
            .collect(Collectors.toCollection(TreeSet::new));
    suite.removeIf(n -> n.contains("[attention "));
    assertEquals(suite, junit);
  }

  private static boolean declined(CellResult cell) {
    return cell.skips().keySet().stream().allMatch(r -> r.startsWith("declined: "));
  }

  /// Nothing that can't be tested is a pass, or missing.
  @Test
  void whatIsDeclinedIsAborted() {
    Results record = all.of(OneConfiguration.class);
    for (String name : List.of("L5_exact_f32 [all]", "P14_allocation [linear all]")) {
      Ran ran = record.tests.stream().filter(r -> r.name().equals(name)).findFirst().orElseThrow();
      assertEquals(TestExecutionResult.Status.ABORTED, ran.status);
    }
    assertTrue(record.names().contains("linear [Q4_0 exact-f32]"), record.names().toString());
  }

  @Test
  void everyRuleIsAMethodWithItsTag() {
    List<Class<?>> classes =
        List.of(
            LinearConformance.class,
            AttentionConformance.class,
            RmsNormConformance.class,
            RopeConformance.class,
            SwiGluConformance.class);
    List<OperatorSuite<?>> suites = SuiteCatalog.operators();
    assertEquals(suites.size(), classes.size());
    for (int i = 0; i < classes.size(); i++) {
      assertEquals(suites.get(i).name(), classes.get(i).getAnnotation(Tag.class).value());
      Set<String> ids =
          suites.get(i).rules().stream()
              .map(Rule::id)
              .collect(Collectors.toCollection(TreeSet::new));
      assertEquals(ids, tags(classes.get(i)), classes.get(i).getSimpleName());
    }
    Set<String> provider =
        Stream.concat(
                ProviderRules.whole().stream().map(ProviderRules.ProviderRule::id),
                ProviderRules.offers(suites.getFirst()).stream().map(Rule::id))
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(provider, tags(ProviderConformance.class));
  }

  private static Set<String> tags(Class<?> type) {
    Set<String> tags = new TreeSet<>();
    for (Method method : type.getMethods()) {
      if (method.isAnnotationPresent(TestFactory.class) && method.isAnnotationPresent(Tag.class)) {
        String tag = method.getAnnotation(Tag.class).value();
        assertTrue(tags.add(tag), () -> type + ": two methods for " + tag);
        assertTrue(
            method.getName().equals(tag) || tag.equals(ProviderRules.SUPPORT), method.toString());
      }
    }
    return tags;
  }

  @Test
  void tagsSelect() {
    assertEquals(
        Set.of("N2_non_finite_x [F32]", "N2_non_finite_x [groups]"),
        run(List.of("N2"), false, OneConfiguration.class).names());
    assertEquals(
        Set.of(
            "P8_inputs_unchanged [linear all]",
            "P8_inputs_unchanged [rmsnorm F32]",
            "P8_inputs_unchanged [rmsnorm groups]",
            "P8_inputs_unchanged [rope adjacent]",
            "P8_inputs_unchanged [swiglu F32]",
            "P8_inputs_unchanged [swiglu gelu-tanh]",
            "P8_large_source [linear all]"),
        run(List.of("P8"), false, OneConfiguration.class).names());
    assertEquals(
        run(List.of("swiglu"), false, OneConfiguration.class).names(),
        run(List.of("mine"), false, OneConfiguration.class).names());
    assertEquals(Set.of(), run(List.of("!conformance"), false, OneConfiguration.class).names());
  }

  @Test
  void aReplayIsTheOneTestThatRuns() {
    Results record = run(OneReplay.class);
    assertEquals(List.of(), record.failedContainers);
    List<Ran> passed =
        record.tests.stream()
            .filter(r -> r.status == TestExecutionResult.Status.SUCCESSFUL)
            .toList();
    assertEquals(1, passed.size(), record.names().toString());
    assertTrue(passed.getFirst().name().startsWith("replay N2_non_finite_x/rmsnorm:width=2,"));
    assertEquals(
        Set.of("linear [replay]", "swiglu [replay]", "rope [replay]"),
        record.tests.stream()
            .filter(r -> r.status == TestExecutionResult.Status.ABORTED)
            .map(Ran::name)
            .collect(Collectors.toSet()));
  }

  /// Nothing would run, and the build would be green.
  @Test
  void aReplayOfNoOperatorFails() {
    Results record = run(MistypedReplay.class);
    assertFalse(record.failedContainers.isEmpty());
    assertTrue(
        record.failedContainers.getFirst().contains("no operator 'rmsnrom'"),
        record.failedContainers.toString());
  }

  @Test
  void testsMayRunAtTheSameTime() {
    LeftOut.unlessFull(getClass(), "all tests at the same time");
    Results record =
        run(List.of(), true, OneConfiguration.class, OtherConfiguration.class, NotNested.class);
    assertEquals(List.of(), record.failedContainers);
    assertEquals(all.of(OneConfiguration.class).names(), record.names());
    List<String> failed =
        record.tests.stream()
            .filter(r -> r.status == TestExecutionResult.Status.FAILED)
            .map(r -> r.name().toLowerCase(Locale.ROOT))
            .toList();
    assertEquals(List.of(), failed);
  }
}
