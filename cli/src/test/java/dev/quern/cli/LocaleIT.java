package dev.quern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.quern.testing.LeftOut;
import dev.quern.testing.LeftOut.Asked;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The commands in locales whose digits, decimal points or letter cases are not English ones: what
/// is printed and written is the same, and no number takes other digits.
class LocaleIT {
  /// Persian, Arabic, Devanagari, Bengali, Burmese and Thai digits; a decimal comma; an i that
  /// keeps its dot.
  private static final List<Arguments> LOCALES =
      List.of(
          Arguments.of("fa", "IR", ""),
          Arguments.of("ar", "EG", ""),
          Arguments.of("mr", "IN", ""),
          Arguments.of("bn", "BD", ""),
          Arguments.of("my", "MM", ""),
          Arguments.of("th", "TH", "u-nu-thai"),
          Arguments.of("de", "DE", ""),
          Arguments.of("tr", "TR", ""));

  /// What a plain build has: other digits, a comma, an i.
  private static final Set<String> FEW = Set.of("fa", "de", "tr");

  @TempDir static Path folder;
  private static Path english;

  @BeforeAll
  static void inEnglish() throws IOException {
    english = run("en", "US", "");
    assertFalse(Files.readString(english.resolve(LocaleRun.TEXT)).isBlank());
  }

  static List<Arguments> locales() {
    List<Arguments> few =
        LOCALES.stream().filter(l -> FEW.contains(l.get()[0].toString())).toList();
    return LeftOut.some(LocaleIT.class, Asked.EXHAUSTIVE, "locales", LOCALES, few);
  }

  @ParameterizedTest
  @MethodSource("locales")
  void theLocaleDoesNotMatter(String language, String country, String extensions)
      throws IOException {
    Path here = run(language, country, extensions);
    assertEquals(
        Files.readString(english.resolve(LocaleRun.TEXT)),
        Files.readString(here.resolve(LocaleRun.TEXT)));
    for (String file : List.of(LocaleRun.MODEL, LocaleRun.QUANTIZED)) {
      assertEquals(-1, Files.mismatch(english.resolve(file), here.resolve(file)), file);
    }
    String figures = Files.readString(here.resolve(LocaleRun.FIGURES));
    List<String> digits =
        figures
            .codePoints()
            .filter(c -> Character.isDigit(c) && c > 127)
            .mapToObj(Character::toString)
            .toList();
    assertEquals(List.of(), digits, figures);
    assertFalse(figures.matches("(?s).*[0-9],[0-9]+ (s|ms|tok).*"), figures);
  }

  private static Path run(String language, String country, String extensions) throws IOException {
    Path results = Files.createDirectory(folder.resolve(language));
    Child child =
        Child.run(
            folder,
            List.of(
                Child.JAVA,
                "-cp",
                System.getProperty("java.class.path"),
                "-Duser.language=" + language,
                "-Duser.country=" + country,
                "-Duser.extensions=" + extensions,
                LocaleRun.class.getName(),
                results.toString()));
    assertEquals(0, child.code(), child.err());
    return results;
  }
}
