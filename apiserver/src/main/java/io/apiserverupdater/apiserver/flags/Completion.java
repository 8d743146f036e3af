package io.apiserverupdater.apiserver.flags;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The scripts with which shells complete a program's command line, made from its flags. For a value
 * they offer the words of a choice, and files or directories where {@code FILE} or {@code
 * DIRECTORY} stands for it in the help; any other value is free.
 *
 * @param commands what each that takes the program's own flags is for, by its name; without
 *     commands the flags are offered instead
 * @param subcommands those with flags of their own
 */
public record Completion(
    String program, Map<String, String> commands, FlagSet flags, List<Subcommand> subcommands) {
  /** The command that prints a script: {@code completion SHELL}. */
  public static final String COMMAND = "completion";

  /** What is wrong when there is no script. */
  public static final String EXPECTED = COMMAND + " needs a shell: bash, zsh or fish";

  private static final String BASH =
      """
      # bash completion for PROGRAM; needs bash 4.1 or newer.
      _PROGRAM() {
        local word=${COMP_WORDS[COMP_CWORD]} flag=${COMP_WORDS[COMP_CWORD - 1]}
        local attached='' prefix='' offered='COMMANDS' flags='FLAGS' command='' earlier
        # By default "=" is a word of its own.
        if [[ $word == --*=* ]]; then
          attached=yes flag=${word%%=*} prefix=${word%%=*}= word=${word#*=}
        elif [[ $word == = ]]; then
          attached=yes word=''
        elif [[ $flag == = ]]; then
          attached=yes flag=${COMP_WORDS[COMP_CWORD - 2]}
        fi
        COMPREPLY=()
        case $COMP_CWORD,${COMP_WORDS[1]} in
      SUBCOMMANDS  esac
        case $command,$flag,$attached in
      CASES  esac
        for earlier in "${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
          [[ " $offered " != *" $earlier "* ]] || offered=''
        done
        [[ $offered && $word != -* ]] || offered=$flags
        mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$word")
      }
      complete -F _PROGRAM PROGRAM
      """;

  private static final String ZSH =
      """
      #compdef PROGRAM
      _PROGRAM() {
        local -a command=(COMMANDS)
        case $CURRENT,$words[2] in
      SUBCOMMANDS  esac
        _arguments \\
      SPECIFICATIONS
      }
      # Found in $fpath it is the function's body; else it is read by source.
      if [[ $funcstack[1] == _PROGRAM ]]; then
        _PROGRAM "$@"
      else
        compdef _PROGRAM PROGRAM
      fi
      """;

  /** The script for what follows the command; empty when that is no shell that is known. */
  public Optional<String> script(List<String> shell) {
    return switch (String.join(" ", shell)) {
      case "bash" -> Optional.of(bash());
      case "zsh" -> Optional.of(zsh());
      case "fish" -> Optional.of(fish());
      default -> Optional.empty();
    };
  }

  private String bash() {
    StringBuilder chosen = new StringBuilder();
    if (!subcommands.isEmpty()) {
      String names = subcommands.stream().map(Subcommand::name).collect(Collectors.joining(" "));
      chosen.append("    1,*) offered='").append(names).append("' ;;\n");
    }
    StringBuilder cases = new StringBuilder(bashCases("", flags));
    for (Subcommand command : subcommands) {
      chosen.append(
          "    *,%1$s) command=%1$s offered='%2$s' flags='%3$s' ;;\n"
              .formatted(
                  command.name(),
                  String.join(" ", command.words()),
                  allSpellings(command.flags())));
      cases.append(bashCases(command.name(), command.flags()));
    }
    return BASH.replace("PROGRAM", program)
        .replace("SUBCOMMANDS", chosen)
        .replace("COMMANDS", String.join(" ", commands.keySet()))
        .replace("CASES", cases)
        .replace("FLAGS", allSpellings(flags));
  }

  /** What is offered for the values of a command's flags. */
  private static String bashCases(String command, FlagSet flags) {
    Map<String, List<String>> cases = new LinkedHashMap<>();
    for (Flag<?> flag : flags.all()) {
      String offer =
          switch (offer(flag)) {
            case WORDS ->
                "mapfile -t COMPREPLY < <(compgen -P \"$prefix\" -W '%s' -- \"$word\"); "
                    .formatted(String.join(" ", flag.type().words()));
            case FILES -> "compopt -o default; ";
            case DIRECTORIES -> "compopt -o dirnames; ";
            case NOTHING -> "";
          };
      List<String> patterns = cases.computeIfAbsent(offer, unused -> new ArrayList<>());
      // A switch has a value only behind "=".
      String attached = flag.isSwitch() ? ",yes" : ",*";
      spellings(flag).forEach(name -> patterns.add(command + "," + name + attached));
    }
    StringBuilder text = new StringBuilder();
    cases.forEach(
        (offer, patterns) ->
            text.append("    ")
                .append(String.join(" | ", patterns))
                .append(")\n      ")
                .append(offer)
                .append("return ;;\n"));
    return text.toString();
  }

  private String zsh() {
    StringBuilder chosen = new StringBuilder();
    if (!subcommands.isEmpty()) {
      Map<String, String> purposes = new LinkedHashMap<>();
      subcommands.forEach(command -> purposes.put(command.name(), command.purpose()));
      chosen.append("    2,*) command=(").append(zshCommands(purposes)).append(") ;;\n");
    }
    for (Subcommand command : subcommands) {
      String argument =
          command.argument().isEmpty()
              ? ""
              : " \\\n      ':argument:(%s)'".formatted(String.join(" ", command.words()));
      chosen.append("    *,").append(command.name()).append(")\n");
      chosen.append("      shift words; (( CURRENT-- ))\n      _arguments \\\n");
      chosen.append(zshFlags("      ", command.flags())).append(argument);
      chosen.append("\n      return ;;\n");
    }
    return ZSH.replace("PROGRAM", program)
        .replace("SUBCOMMANDS", chosen)
        .replace("COMMANDS", commands.isEmpty() ? "" : zshCommands(commands))
        .replace("SPECIFICATIONS", zshFlags("    ", flags) + " \\\n    $command");
  }

  private static String zshCommands(Map<String, String> purposes) {
    return "':command:(("
        + purposes.entrySet().stream()
            .map(one -> one.getKey() + "\\:\"" + quoted(one.getValue()) + "\"")
            .collect(Collectors.joining(" "))
        + "))'";
  }

  private static String zshFlags(String indent, FlagSet flags) {
    return flags.all().stream()
        .map(flag -> indent + zsh(flag))
        .collect(Collectors.joining(" \\\n"));
  }

  /** As zshcompsys(1) describes it for {@code _arguments}. */
  private static String zsh(Flag<?> flag) {
    String name = "--" + flag.name() + (flag.isSwitch() ? "" : "=");
    String again = flag.type().separator().isPresent() ? "*" : "";
    String value =
        switch (offer(flag)) {
          case WORDS -> "(" + String.join(" ", flag.type().words()) + ")";
          case FILES -> "_files";
          case DIRECTORIES -> "_files -/";
          case NOTHING -> " ";
        };
    String text = "[" + quoted(purpose(flag)).replaceAll("[\\[\\]:]", "\\\\$0") + "]";
    if (!flag.isSwitch()) {
      text += ":" + flag.argument().replace(":", "\\:") + ":" + value;
    } else if (offer(flag) == Offer.WORDS) {
      // Only behind "=": the next word is no value of a switch.
      text = "=-" + text + "::value:" + value;
    }
    if (flag.letter().isEmpty()) {
      return "'" + again + name + text + "'";
    }
    String letter = "-" + flag.letter().get();
    String instead = again.isEmpty() ? "(" + letter + " --" + flag.name() + ")" : again;
    return "'%s'{%s,%s}'%s'".formatted(instead, letter + (flag.isSwitch() ? "" : "+"), name, text);
  }

  private String fish() {
    StringBuilder text = new StringBuilder("complete -c " + program + " -f\n");
    List<String> names = new ArrayList<>();
    for (Subcommand command : subcommands) {
      String here = " -n '__fish_seen_subcommand_from " + command.name() + "'";
      names.add(command.name());
      text.append("complete -c ").append(program);
      text.append(" -n 'test (count (commandline -opc)) -eq 1' -a ").append(command.name());
      text.append(" -d '").append(quotedForFish(command.purpose())).append("'\n");
      if (!command.words().isEmpty()) {
        text.append("complete -c ").append(program).append(here);
        text.append(" -a '").append(String.join(" ", command.words())).append("'\n");
      }
      text.append(fishFlags(here, command.flags()));
    }
    for (Map.Entry<String, String> command : commands.entrySet()) {
      text.append("complete -c ").append(program);
      text.append(" -n 'not __fish_seen_subcommand_from ");
      text.append(String.join(" ", commands.keySet())).append("' -a ").append(command.getKey());
      text.append(" -d '").append(quotedForFish(command.getValue())).append("'\n");
    }
    String elsewhere =
        names.isEmpty()
            ? ""
            : " -n 'not __fish_seen_subcommand_from " + String.join(" ", names) + "'";
    return text + fishFlags(elsewhere, flags);
  }

  private String fishFlags(String condition, FlagSet flags) {
    StringBuilder text = new StringBuilder();
    for (Flag<?> flag : flags.all()) {
      text.append("complete -c ").append(program).append(condition);
      flag.letter().ifPresent(letter -> text.append(" -s ").append(letter));
      text.append(" -l ").append(flag.name());
      text.append(
          switch (offer(flag)) {
            case WORDS -> " -a '" + String.join(" ", flag.type().words()) + "'";
            case FILES -> " -F";
            case DIRECTORIES -> " -a '(__fish_complete_directories)'";
            case NOTHING -> "";
          });
      text.append(flag.isSwitch() ? "" : offer(flag) == Offer.FILES ? " -r" : " -x");
      text.append(" -d '").append(quotedForFish(purpose(flag))).append("'\n");
    }
    return text.toString();
  }

  /** What is offered for a value. */
  private enum Offer {
    WORDS,
    FILES,
    DIRECTORIES,
    NOTHING
  }

  private static Offer offer(Flag<?> flag) {
    if (flag.isSwitch() && flag.byDefault().equals(Optional.of(false))) {
      return Offer.NOTHING;
    }
    if (!flag.type().words().isEmpty()) {
      return Offer.WORDS;
    }
    return switch (flag.argument()) {
      case "FILE", "FILE|-" -> Offer.FILES;
      case "DIRECTORY" -> Offer.DIRECTORIES;
      default -> Offer.NOTHING;
    };
  }

  private static String allSpellings(FlagSet flags) {
    return flags.all().stream().flatMap(Completion::spellings).collect(Collectors.joining(" "));
  }

  private static Stream<String> spellings(Flag<?> flag) {
    return Stream.concat(
        flag.letter().stream().map(letter -> "-" + letter), Stream.of("--" + flag.name()));
  }

  /** The first sentence of the help. */
  private static String purpose(Flag<?> flag) {
    return flag.help().replaceFirst("(?s)\\. .*|\\.$", "");
  }

  /** To go between single quotes of a POSIX shell. */
  private static String quoted(String text) {
    return text.replace("'", "'\\''");
  }

  private static String quotedForFish(String text) {
    return text.replace("\\", "\\\\").replace("'", "\\'");
  }
}
