package dev.socifleet.cli.install;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/** What every command's {@code --help} says, as one page for {@code man} (man(7)). */
final class ManPage {
  private static final int COLUMNS = 78;

  private final StringBuilder page = new StringBuilder();

  private ManPage() {}

  /**
   * @param version of the product
   */
  static String of(CommandLine soci, String version) {
    ManPage man = new ManPage();
    man.page.append(".TH SOCI 1 \"\" \"soci-fleet ").append(version).append("\"\n");
    man.page.append(".SH NAME\nsoci \\- ").append(quoted(sentence(soci))).append('\n');
    man.section("soci", soci);
    man.commands("soci", soci);
    return man.page.toString();
  }

  private static String sentence(CommandLine command) {
    return String.join(" ", command.getCommandSpec().usageMessage().description());
  }

  private void commands(String name, CommandLine parent) {
    List<CommandLine> seen = new ArrayList<>();
    for (Map.Entry<String, CommandLine> each : parent.getSubcommands().entrySet()) {
      if (!seen.contains(each.getValue())) { // not a second name of the same
        seen.add(each.getValue());
        section(name + " " + each.getKey(), each.getValue());
        commands(name + " " + each.getKey(), each.getValue());
      }
    }
  }

  private void section(String title, CommandLine command) {
    page.append(".SH ").append(title.toUpperCase(Locale.ROOT)).append("\n.nf\n");
    command.setUsageHelpWidth(COLUMNS);
    command.getUsageMessage(Ansi.OFF).lines().forEach(this::line);
    page.append(".fi\n");
  }

  /** A line as it is: none of its characters means anything to roff. */
  private void line(String text) {
    page.append("\\&").append(quoted(text)).append('\n');
  }

  /** Groff takes some of ASCII for typographic signs: a hyphen, quotes, accents. */
  private static String quoted(String text) {
    return text.replace("\\", "\\e")
        .replace("-", "\\-")
        .replace("'", "\\(aq")
        .replace("`", "\\(ga")
        .replace("^", "\\(ha")
        .replace("~", "\\(ti");
  }
}
