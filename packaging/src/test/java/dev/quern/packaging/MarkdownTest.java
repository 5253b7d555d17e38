package dev.quern.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What holds for every page of the repository: lines that a person can read, links that lead
/// somewhere, numbers that are given once.
class MarkdownTest {
  private static final Path HOME =
      Path.of(System.getProperty("quern.home")).toAbsolutePath().normalize();
  private static final int WIDTH = 160;

  private static final Pattern URL = Pattern.compile("https?://[^\\s)]+");

  /// The end of a link, whose text may begin on the line before.
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");

  private static final Pattern HEADING = Pattern.compile("#{1,6} (.+)");

  /// Tables, code and addresses may be longer, since they can't be wrapped.
  @Test
  void noLineOfProseIsLong() throws IOException {
    List<String> tooLong = new ArrayList<>();
    for (Path page : pages()) {
      for (Line line : prose(page)) {
        boolean table = line.text().strip().startsWith("|");
        if (!table && URL.matcher(line.text()).replaceAll("").length() > WIDTH) {
          tooLong.add(line.at(page));
        }
      }
    }
    assertEquals(List.of(), tooLong, "lines of prose over " + WIDTH + " characters");
  }

  /// All within the repository: a reader has nothing that lies beside it.
  @Test
  void linksLeadToFilesAndHeadings() throws IOException {
    List<String> dead = new ArrayList<>();
    int links = 0;
    for (Path page : pages()) {
      for (Line line : prose(page)) {
        Matcher link = LINK.matcher(line.text().replaceAll("`[^`]*`", ""));
        while (link.find()) {
          if (!link.group(1).matches("[a-z]+:.*")) {
            links++;
            if (!resolves(page, link.group(1))) {
              dead.add(line.at(page) + ": " + link.group(1));
            }
          }
        }
      }
    }
    assertEquals(List.of(), dead, "links that lead nowhere");
    assertTrue(links > 100, "looked in the wrong folder: " + HOME);
  }

  @Test
  void theIndexNamesEveryPage() throws IOException {
    Path index = HOME.resolve("docs/README.md");
    String text = Files.readString(index);
    List<String> missing =
        pages().stream()
            .filter(page -> page.getParent().equals(index.getParent()) && !page.equals(index))
            .map(page -> page.getFileName().toString())
            .filter(name -> !text.contains("](" + name + ")"))
            .toList();
    assertEquals(List.of(), missing, "pages that docs/README.md lacks");
  }

  /// A number stays with what it was given to, so none is missing and none is there twice.
  @ParameterizedTest
  @CsvSource({"docs/decisions.md, D", "docs/measurements.md, M"})
  void numbersAreGivenOnce(String page, String letter) throws IOException {
    Pattern numbered = Pattern.compile("### " + letter + "(\\d+)\\. .+");
    List<Integer> numbers =
        prose(HOME.resolve(page)).stream()
            .map(line -> numbered.matcher(line.text()))
            .filter(Matcher::matches)
            .map(m -> Integer.valueOf(m.group(1)))
            .sorted()
            .toList();
    assertTrue(numbers.size() > 10, page);
    assertEquals(IntStream.rangeClosed(1, numbers.size()).boxed().toList(), numbers, page);
  }

  private static boolean resolves(Path page, String link) throws IOException {
    String[] parts = link.split("#", 2);
    Path file =
        parts[0].isEmpty() ? page : page.resolveSibling(parts[0]).toAbsolutePath().normalize();
    return file.startsWith(HOME)
        && Files.exists(file)
        && (parts.length == 1 || anchors(file).contains(parts[1]));
  }

  /// As GitHub makes them: small letters, hyphens for blanks, no other punctuation, and no markup.
  private static Set<String> anchors(Path page) throws IOException {
    return prose(page).stream()
        .map(line -> HEADING.matcher(line.text()))
        .filter(Matcher::matches)
        .map(m -> m.group(1).replaceAll("\\]\\([^)]*\\)", "").toLowerCase(Locale.ROOT))
        .map(h -> h.replaceAll("[^\\p{L}\\p{M}\\p{Nd}_ -]", "").replace(' ', '-'))
        .collect(Collectors.toSet());
  }

  /// All lines but those of code, which has a fence or an indentation of four.
  private static List<Line> prose(Path page) throws IOException {
    List<Line> prose = new ArrayList<>();
    boolean code = false;
    int number = 0;
    for (String text : Files.readAllLines(page)) {
      number++;
      if (text.strip().startsWith("```")) {
        code = !code;
      } else if (!code && !text.startsWith("    ")) {
        prose.add(new Line(number, text));
      }
    }
    return prose;
  }

  /// Without what builds and tools leave.
  private static List<Path> pages() throws IOException {
    List<Path> pages = new ArrayList<>();
    Files.walkFileTree(
        HOME,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
            String name = folder.getFileName().toString();
            boolean left = name.equals("target") || name.startsWith(".") && !folder.equals(HOME);
            return left ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (file.toString().endsWith(".md")) {
              pages.add(file);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    return pages;
  }

  /// @param number from 1
  private record Line(int number, String text) {
    String at(Path page) {
      return HOME.relativize(page) + ":" + number;
    }
  }
}
