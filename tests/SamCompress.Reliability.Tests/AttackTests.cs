using System.Security.Cryptography;
using System.Text.Json;
using SamCompress.Cli.Tests;

[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace SamCompress.Reliability.Tests;

/// <summary>
/// What holds for every attack: no output appears, none that was there changes, no input changes, no stage is left; one error line and at most one hint,
/// which name the file and the value, with nothing that steers a terminal; bounded memory, and an end.
/// </summary>
public sealed class AttackTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static TheoryData<string> Names => [.. Attack.All.Select(a => a.ToString())];

    [Theory]
    [MemberData(nameof(Names))]
    public void Is_met(string name)
    {
        Attack attack = Attack.All.First(a => a.ToString() == name);
        using var directory = new TemporaryDirectory();
        string[] args = attack.Make(directory);
        Dictionary<string, string> before = Contents(directory.Path);

        CommandRun run = Run(args, attack);

        Assert.True(attack.ExitCodes.Contains(run.ExitCode), $"exit {run.ExitCode}: {run.Error}{run.Out}");
        AssertFiles(before, directory.Path, changes: run.ExitCode <= 1);
        AssertHarmless(run.Out + run.Error);
        if (run.ExitCode > 1)
        {
            AssertError(run, attack);
            AssertJsonError(args, attack, run.ExitCode);
            AssertFiles(before, directory.Path, changes: false);
        }
        else if (attack.ExitCodes.All(c => c <= 1))
        {
            Assert.All(attack.Says, part => Assert.Contains(part, run.Out + run.Error, StringComparison.Ordinal));
        }

        attack.Afterwards?.Invoke(directory);
    }

    private static CommandRun Run(string[] args, Attack attack)
    {
        long before = GC.GetTotalAllocatedBytes(precise: true);
        Task<CommandRun> run = Task.Run(() => CommandRun.Of(args));
        Assert.True(run.Wait(Patience), "the command does not end");
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        Assert.True(allocated <= attack.MostAllocated, $"{allocated} bytes were allocated");
        return run.Result;
    }

    private static void AssertError(CommandRun run, Attack attack)
    {
        Assert.Empty(run.Out);
        Assert.InRange(run.ErrorLines.Length, 1, 2);
        Assert.Matches(@"^[^\n]+: error SC[0-9]{4}: \S", run.ErrorLines[0]);
        Assert.True(run.ErrorLines.Length == 1 || run.ErrorLines[1].StartsWith("hint: ", StringComparison.Ordinal), run.Error);
        Assert.All(run.ErrorLines, line => Assert.InRange(line.Length, 1, 2100));
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", run.Error, StringComparison.Ordinal);
        Assert.All([attack.File, .. attack.Says], part => Assert.Contains(part, run.Error, StringComparison.Ordinal));
    }

    private static void AssertJsonError(string[] args, Attack attack, int exitCode)
    {
        CommandRun run = Run([.. args, "--format", "json"], attack);
        Assert.Equal(exitCode, run.ExitCode);
        using var json = JsonDocument.Parse(run.Out);
        Assert.Equal(exitCode, json.RootElement.GetProperty("error").GetProperty("exitCode").GetInt32());
        Assert.Equal(["schemaVersion", "error"], json.RootElement.EnumerateObject().Select(p => p.Name));
        AssertHarmless(run.Out + run.Error);
    }

    private static void AssertHarmless(string text) =>
        Assert.DoesNotContain(text, c => c is not '\n' && char.GetUnicodeCategory(c) is System.Globalization.UnicodeCategory.Control or System.Globalization.UnicodeCategory.Format);

    private static void AssertFiles(Dictionary<string, string> before, string folder, bool changes)
    {
        Dictionary<string, string> after = Contents(folder);
        Assert.DoesNotContain(after.Keys.Except(before.Keys), IsStage);
        foreach ((string path, string content) in before.Where(e => !changes || !(e.Key.StartsWith("out.", StringComparison.Ordinal) || IsStage(e.Key))))
            Assert.Equal((path, content), (path, after.GetValueOrDefault(path, "gone")));
        if (!changes)
            Assert.Equal(before.Count, after.Count);
    }

    private static bool IsStage(string path) => path.Contains(".samcompress-stage", StringComparison.Ordinal);

    /// <summary>Every entry below a folder, as kind, link, length and, where it can be read in no time, hash.</summary>
    private static Dictionary<string, string> Contents(string folder)
    {
        const long MostHashed = 1 << 26;
        var contents = new Dictionary<string, string>(StringComparer.Ordinal);
        var pending = new Stack<DirectoryInfo>([new DirectoryInfo(folder)]);
        while (pending.TryPop(out DirectoryInfo? directory))
        {
            foreach (FileSystemInfo entry in directory.EnumerateFileSystemInfos())
            {
                string path = Path.GetRelativePath(folder, entry.FullName);
                contents[path] = entry switch
                {
                    { LinkTarget: { } target } => $"link to {target}",
                    FileInfo { Length: > 0 and <= MostHashed } => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(entry.FullName))),
                    FileInfo file => $"{file.Length} bytes",
                    _ => "folder",
                };
                if (entry is DirectoryInfo { LinkTarget: null } inner)
                    pending.Push(inner);
            }
        }

        return contents;
    }
}
