package dev.quern.cli.conformance;

import dev.quern.cli.console.Console;
import dev.quern.cli.console.ConsoleCommand;
import dev.quern.cli.register.RegisterPage;
import dev.quern.files.NewFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// `quern conformance register`: the page of a folder's reports.
@Command(
    name = "register",
    description = "Writes README.md, the page of the results, into a folder of reports.",
    footer = {"", "Try: quern conformance register docs/register"})
public final class RegisterCommand extends ConsoleCommand {
  @Parameters(paramLabel = "DIR", description = "The folder; each *.json in it is a report.")
  Path folder;

  public RegisterCommand(Console console) {
    super(console);
  }

  @Override
  public Integer call() throws IOException {
    try {
      Path page = folder.resolve("README.md");
      NewFile.write(page, RegisterPage.of(folder).getBytes(StandardCharsets.UTF_8));
      console.err().println("quern: wrote " + page);
      return 0;
    } catch (NoClassDefFoundError e) {
      throw ConformanceCommand.withoutSuite(e);
    }
  }
}
