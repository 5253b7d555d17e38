package dev.quern.conformance.mutants;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.conformance.Hunt;
import dev.quern.conformance.Settings;
import dev.quern.conformance.Support;
import dev.quern.conformance.Target;
import dev.quern.provider.scalar.ScalarProvider;
import dev.quern.spi.KernelProvider;
import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.instruction.ConstantInstruction;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// Two faults that were made up when the suite was finished, in a copy of the scalar provider: one
/// number of its byte code is another. Both are of the kind that a review passes over.
class InjectedFaultsTest {
  private static final Settings SETTINGS =
      new Settings(Settings.DEFAULT_TRIES, Settings.DEFAULT_SEED, Optional.empty());

  /// A number of a method's code that is changed.
  ///
  /// @param type the class, in the scalar provider's package
  /// @param occurrence which of the equal numbers in the method, from 0
  private record Patch(String type, String method, int number, int occurrence, int changed) {
    byte[] apply(byte[] code) {
      int[] seen = {0};
      CodeTransform constants =
          (builder, element) -> {
            boolean hit =
                element instanceof ConstantInstruction c
                    && c.constantValue().equals(number)
                    && seen[0]++ == occurrence;
            if (hit) {
              builder.loadConstant(changed);
            } else {
              builder.with(element);
            }
          };
      byte[] patched =
          ClassFile.of()
              .transformClass(
                  ClassFile.of().parse(code),
                  ClassTransform.transformingMethodBodies(
                      m -> m.methodName().equalsString(method), constants));
      assertTrue(seen[0] > occurrence, "nothing was patched: " + this);
      return patched;
    }
  }

  /// A copy of the scalar provider's classes, one of them patched.
  private static final class Copy extends ClassLoader {
    private static final String PACKAGE = ScalarProvider.class.getPackageName() + ".";
    private final Patch patch;

    Copy(Patch patch) {
      super(ScalarProvider.class.getClassLoader());
      this.patch = patch;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.startsWith(PACKAGE)) {
        return super.loadClass(name, resolve);
      }
      synchronized (getClassLoadingLock(name)) {
        Class<?> loaded = findLoadedClass(name);
        return loaded != null ? loaded : define(name);
      }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
      try (InputStream in = getParent().getResourceAsStream(name.replace('.', '/') + ".class")) {
        byte[] code = in.readAllBytes();
        byte[] used = name.equals(PACKAGE + patch.type) ? patch.apply(code) : code;
        return defineClass(name, used, 0, used.length);
      } catch (IOException e) {
        throw new ClassNotFoundException(name, e);
      }
    }
  }

  private static Hunt hunt(Patch patch, String operator) throws ReflectiveOperationException {
    KernelProvider provider =
        (KernelProvider)
            new Copy(patch)
                .loadClass(ScalarProvider.class.getName())
                .getDeclaredConstructor()
                .newInstance();
    Target here = Target.here(new ScalarProvider());
    return new Hunt(
        new Target(provider, here.platform(), Support.of(new ScalarProvider())),
        SETTINGS,
        operator);
  }

  /// SwiGLU works in parts of 1024 columns: the last column of each full part is left out. Widths
  /// of real models show it, small ones never.
  @Test
  void aColumnLostBetweenTwoPartsBreaksS1() throws ReflectiveOperationException {
    Patch patch = new Patch("ScalarSwiGlu", "gate", 1024, 0, 1023);
    Optional<Hunt.Kill> kill = hunt(patch, "swiglu").by("S1");
    assertEquals("S1_exact", kill.map(Hunt.Kill::check).orElse("survived"));
  }

  /// The lower four minimums of a Q4_K or Q5_K block lose their sixth bit, on the int8 path alone.
  @Test
  void aMaskThatLosesABitOfSomeMinimumsBreaksL9() throws ReflectiveOperationException {
    Patch patch = new Patch("GgmlUnpackers", "kScales", 63, 1, 31);
    Optional<Hunt.Kill> kill = hunt(patch, "linear").by("L9");
    assertEquals("Q4_K int8-sym-256", kill.map(Hunt.Kill::subject).orElse("survived"));
  }
}
