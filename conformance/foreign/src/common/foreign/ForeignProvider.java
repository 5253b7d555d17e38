package foreign;

import dev.quern.spi.Availability;
import dev.quern.spi.KernelProvider;
import dev.quern.spi.Platform;
import dev.quern.spi.Spec;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/// A provider whose kernels are in a library that others wrote, and that a property names.
public abstract class ForeignProvider implements KernelProvider {
  private final String name;
  private final String property;
  private final String example;

  /// @param property names the library's file
  /// @param example what such a file is called
  protected ForeignProvider(String name, String property, String example) {
    this.name = name;
    this.property = property;
    this.example = example;
  }

  /// Its functions.
  public record Library(SymbolLookup symbols) {
    public MethodHandle handle(String function, FunctionDescriptor type) {
      return Linker.nativeLinker().downcallHandle(symbols.findOrThrow(function), type);
    }
  }

  /// With a library that is there.
  ///
  /// @throws Throwable if it is another one than it should be
  protected abstract Availability open(Library library, Path file) throws Throwable;

  @Override
  public final String name() {
    return name;
  }

  @Override
  public final int priority() {
    return 1;
  }

  @Override
  public final int specVersion() {
    return Spec.VERSION;
  }

  @Override
  public final Availability open(Platform platform) {
    String file = platform.properties().getOrDefault(property, "");
    if (file.isEmpty() || !Files.isRegularFile(Path.of(file))) {
      return new Availability.Unavailable("no library '" + file + "'", "-D" + property + "=" + example);
    }
    try {
      Path path = Path.of(file);
      return open(new Library(SymbolLookup.libraryLookup(path, Arena.global())), path);
    } catch (Throwable e) {
      return new Availability.Unavailable(String.valueOf(e.getMessage()), "another library");
    }
  }
}
