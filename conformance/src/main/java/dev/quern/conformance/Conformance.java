package dev.quern.conformance;

import dev.quern.KernelOptions;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Platform;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.TestInstancePostProcessor;
import org.junit.jupiter.api.function.Executable;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.commons.support.ReflectionSupport;
import org.opentest4j.TestAbortedException;

/// What all conformance classes share: the provider under test, and how its tests are reported. A
/// provider's author extends [ProviderConformance] and one class per operator.
///
/// Each rule is a method of its own, named and tagged by its id, and makes a test for each format.
/// Tools that count tests and run failed ones again know a test by a name of their own making, and
/// where two of these are alike, a pass hides a failure. So every test has a name that is unique in
/// each of these ways:
///
/// - Its source is its rule in SPEC.md, and no Java method: Surefire then calls it by its name,
///   where it would say `N2()[1]`, or no more than `N2`.
/// - Surefire before 3.5.4 puts the name of the node above in front: a container that is called as
///   the class that JUnit runs.
/// - Surefire 3.5.4 to 3.5.6 put the outermost class in front: names differ between the operators
///   (see [CellResult#title]), and where classes of one operator lie in one outermost class, the
///   name says which of them it is.
///
/// @since 0.1
/// @stability api
@Tag("conformance")
@ExtendWith(Conformance.Place.class)
public abstract sealed class Conformance permits OperatorConformance, ProviderConformance {
  /// The classes by which JUnit came here, the outermost first.
  private List<Class<?>> classes = List.of();

  /// Those of all its tests, which may run in parallel.
  private final Queue<Target> opened = new ConcurrentLinkedQueue<>();

  Conformance() {}

  /// The provider under test.
  protected abstract KernelProvider provider();

  /// Where it runs: this machine, unless a subclass says otherwise.
  protected Platform platform() {
    return KernelOptions.fromSystem().providersPlatform();
  }

  /// What its author declares: the resource in its JAR, unless a subclass says otherwise.
  protected Support support() {
    return Support.of(provider());
  }

  /// Tries and seed: those of the system properties, unless a subclass says otherwise.
  protected Settings settings() {
    return Settings.fromSystemProperties();
  }

  /// A target that is closed when JUnit is done with the class.
  final Target target() {
    Target target = new Target(provider(), platform(), support());
    opened.add(target);
    return target;
  }

  /// A test before it has its place.
  ///
  /// @param rule the id, for its line in SPEC.md
  record Check(String rule, String name, Executable body) {
    /// One that is aborted.
    static Check aborted(String rule, String name, String reason) {
      return new Check(
          rule,
          name,
          () -> {
            throw new TestAbortedException(reason);
          });
    }
  }

  /// The tests of a method. It makes them all before the first is run: what the provider throws
  /// meanwhile fails the method, and so does an answer that never comes.
  final Stream<DynamicNode> nodes(Supplier<Stream<Check>> checks) {
    String suffix =
        sameOperator() > 1
            ? String.format(
                Locale.ROOT,
                " (%s)",
                classes.stream().skip(1).map(Class::getSimpleName).collect(Collectors.joining(".")))
            : "";
    List<DynamicTest> tests =
        asked(() -> checks.get().toList()).stream()
            .map(c -> DynamicTest.dynamicTest(c.name + suffix, SpecText.source(c.rule), c.body))
            .toList();
    return tests.isEmpty()
        ? Stream.empty()
        : Stream.of(DynamicContainer.dynamicContainer(path(), tests.stream()));
  }

  private static List<Check> asked(Callable<List<Check>> checks) {
    try {
      return Suite.askAll("the provider's offers", checks);
    } catch (RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException("interrupted", e);
    }
  }

  /// `com.example.MyTest$Linear`; of a class that JUnit does not run, its name.
  private String path() {
    return classes.isEmpty()
        ? getClass().getName()
        : Stream.concat(
                Stream.of(classes.getFirst().getName()),
                classes.stream().skip(1).map(Class::getSimpleName))
            .collect(Collectors.joining("$"));
  }

  /// How many classes of this operator lie in the outermost class.
  private long sameOperator() {
    Class<?> operator = getClass();
    while (!List.of(Conformance.class, OperatorConformance.class)
        .contains(operator.getSuperclass())) {
      operator = operator.getSuperclass();
    }
    return classes.isEmpty()
        ? 1
        : nested(classes.getFirst()).filter(operator::isAssignableFrom).count();
  }

  private static Stream<Class<?>> nested(Class<?> outer) {
    return Stream.concat(
        Stream.of(outer),
        ReflectionSupport.findNestedClasses(
                outer, c -> AnnotationSupport.isAnnotated(c, Nested.class))
            .stream()
            .flatMap(Conformance::nested));
  }

  /// Fails with the first failure; aborts if nothing was checked.
  static void verify(List<CellResult> cells) {
    cells.stream()
        .flatMap(c -> c.firstFailure().stream())
        .findFirst()
        .ifPresent(f -> {
          throw new AssertionError(f.message());
        });
    if (cells.stream().mapToInt(CellResult::passes).sum() == 0) {
      throw new TestAbortedException(
          cells.stream().flatMap(c -> c.skips().keySet().stream()).distinct().toList().toString());
    }
  }

  /// Tells a conformance class where JUnit found it: `getClass()` alone does not, where a class
  /// inherits its nested ones. And closes what it opened, in the end.
  public static final class Place implements TestInstancePostProcessor {
    /// What JUnit calls.
    public Place() {}

    @Override
    public void postProcessTestInstance(Object instance, ExtensionContext context) {
      if (instance instanceof Conformance conformance) {
        List<Class<?>> classes = new ArrayList<>();
        for (Optional<ExtensionContext> c = Optional.of(context);
            c.isPresent();
            c = c.get().getParent()) {
          c.get()
              .getTestClass()
              .filter(k -> classes.isEmpty() || classes.getFirst() != k)
              .ifPresent(classes::addFirst);
        }
        conformance.classes = List.copyOf(classes);
        context
            .getStore(Namespace.create(Conformance.class))
            .put(conformance, (AutoCloseable) () -> conformance.opened.forEach(Target::close));
      }
    }
  }
}
