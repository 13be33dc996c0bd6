using System.Runtime.CompilerServices;
using System.Text;
using Xunit;

namespace SamCompress.Testing;

/// <summary>
/// Compares text with the file <c>Class.Method.verified.txt</c> beside the test. A difference, or no such file, fails the test and
/// leaves <c>Class.Method.received.txt</c>, which <c>eng/accept-snapshots.sh</c> accepts.
/// </summary>
public static class Snapshot
{
    /// <param name="suffix">Tells several snapshots of one test apart.</param>
    public static void Match(string actual, string suffix = "", [CallerFilePath] string testFile = "", [CallerMemberName] string method = "")
    {
        ArgumentNullException.ThrowIfNull(actual);
        string name = $"{Path.GetFileNameWithoutExtension(testFile)}.{method}{(suffix.Length > 0 ? "." + suffix : "")}";
        string stem = Path.Combine(Path.GetDirectoryName(testFile)!, name);
        string text = Normalize(actual);
        if (File.Exists(stem + ".verified.txt"))
        {
            string expected = Normalize(File.ReadAllText(stem + ".verified.txt"));
            if (expected == text)
            {
                File.Delete(stem + ".received.txt");
                return;
            }

            Write(stem, text);
            Assert.Fail($"{name} differs from its snapshot; {FirstDifference(expected, text)}\neng/accept-snapshots.sh accepts it");
        }

        Write(stem, text);
        Assert.Fail($"{name} has no snapshot; eng/accept-snapshots.sh accepts this one:\n{text}");
    }

    private static void Write(string stem, string text) =>
        File.WriteAllText(stem + ".received.txt", text, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));

    private static string Normalize(string text) => text.ReplaceLineEndings("\n").TrimEnd('\n') + "\n";

    private static string FirstDifference(string expected, string actual)
    {
        string[] expectedLines = expected.Split('\n');
        string[] actualLines = actual.Split('\n');
        int line = 0;
        while (line < expectedLines.Length && line < actualLines.Length && expectedLines[line] == actualLines[line])
            line++;
        return $"line {line + 1}:\n  expected: {expectedLines.ElementAtOrDefault(line)}\n  actual:   {actualLines.ElementAtOrDefault(line)}";
    }
}
