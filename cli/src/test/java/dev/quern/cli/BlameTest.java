package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.quern.QuernException;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Each exception that a request can cause says whose it is, and docs/use.md lists all.
class BlameTest {
  /// Of the API's root and the model. Reading the other classes takes a minute.
  private static final Pattern ROOMS = Pattern.compile(".*/dev/quern/(llama/.*|[^/]+)\\.class");

  private static final Pattern ROW = Pattern.compile("(?m)^\\| `(\\w+Exception)` \\| ([A-Z]+)");

  @Test
  void eachFailureSaysWhoseItIsAsTheDocumentationDoes() throws Exception {
    Map<String, String> found = new TreeMap<>();
    for (JavaClass c :
        new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> location.matches(ROOMS))
            .importPackages("dev.quern")) {
      if (c.isAssignableTo(QuernException.class) && !c.isEquivalentTo(QuernException.class)) {
        found.put(c.getSimpleName(), instance(c.reflect()).blame().name());
      }
    }
    assertEquals(documented(), found);
  }

  private static QuernException instance(Class<?> type) throws ReflectiveOperationException {
    Constructor<?> constructor =
        Arrays.stream(type.getDeclaredConstructors())
            .filter(c -> c.getParameterCount() == 1)
            .findFirst()
            .orElseGet(() -> type.getDeclaredConstructors()[0]);
    constructor.setAccessible(true);
    Object[] arguments = new Object[constructor.getParameterCount()];
    arguments[0] = "x";
    return (QuernException) constructor.newInstance(arguments);
  }

  private static Map<String, String> documented() throws IOException {
    Map<String, String> rows = new TreeMap<>();
    Matcher row = ROW.matcher(Files.readString(Path.of("../docs/use.md")));
    while (row.find()) {
      rows.put(row.group(1), row.group(2));
    }
    return rows;
  }
}
