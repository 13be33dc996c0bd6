using System.Globalization;
using SamCompress.Cli.Rendering;
using SamCompress.IR;
using SamCompress.Runtime;

namespace SamCompress.Cli.Jobs;

/// <summary>
/// Writes the files of one output so that, whatever happens, the old ones or the new ones are there, never a mix.
/// They are made in a directory beside the output, flushed to the disk, and renamed into place; the main file comes last and is the commit.
/// A lock file in that directory tells a run that lives from one that was killed: what a dead run left is swept away by the next, or, when it was killed while it renamed, renamed to the end.
/// </summary>
public sealed class ArtifactWriter : IDisposable
{
    private const string StageSuffix = ".samcompress-stage";
    private const string LockName = ".lock";
    private const string OwnerName = ".owner";

    /// <summary>Its presence says that every file is complete and flushed, and renaming has begun.</summary>
    private const string CommitName = ".commit";

    private readonly string _stage;
    private readonly FileStream _lock;
    private readonly bool _overwrite;
    private readonly IReadOnlyList<string> _targets;

    /// <summary>The directories that were made for the output, the innermost first.</summary>
    private readonly IReadOnlyList<string> _made;

    private ArtifactWriter(IReadOnlyList<string> targets, IReadOnlyList<string> made, string stage, FileStream @lock, bool overwrite)
    {
        _made = made;
        Output = targets[0];
        _targets = targets;
        _stage = stage;
        _lock = @lock;
        _overwrite = overwrite;
    }

    /// <summary>The full path of the main file.</summary>
    public string Output { get; }

    /// <summary>Checks everything that can be checked before the work starts, and makes the stage.</summary>
    /// <param name="output">The main file. Its directory is made when missing.</param>
    /// <param name="sidecars">The other files that may be written, as file names in the same directory.</param>
    /// <param name="inputs">Files that must not be written over, not even when <paramref name="overwrite"/> is set.</param>
    /// <exception cref="SamCompressException">Usage: output is an input. Output: it exists, cannot be written, or another run is writing it.</exception>
    public static ArtifactWriter Begin(string output, IReadOnlyList<string> sidecars, bool overwrite, IReadOnlyList<string> inputs)
    {
        output = Path.GetFullPath(output);
        string directory = Path.GetDirectoryName(output) ?? throw Refused(FailureKind.Usage, output, "the output is no file name", "give a file: -o DIRECTORY/NAME.onnx");
        List<string> targets = [output, .. sidecars.Select(s => Path.Combine(directory, s))];
        RefuseInputs(targets, inputs);
        foreach (string target in targets)
        {
            if (Directory.Exists(target))
                throw Refused(FailureKind.Output, target, "the output is a directory", "give a file: -o DIRECTORY/NAME.onnx");
            if (!overwrite && Path.Exists(target))
                throw Exists(target);
            if (File.Exists(target) && new FileInfo(target).LinkTarget is null && !InputFile.IsRegular(target))
                throw Refused(FailureKind.Output, target, "the output is not a regular file", "a device or a pipe is never replaced; choose another name with -o.");
        }

        try
        {
            IReadOnlyList<string> made = MissingDirectories(directory);
            Directory.CreateDirectory(directory);
            SweepDeadStages(directory);
            (string stage, FileStream @lock) = Claim(output);
            var writer = new ArtifactWriter(targets, made, stage, @lock, overwrite);
            // Another run may have finished between the check and the claim.
            if (overwrite || targets.Find(Path.Exists) is not { } finished)
                return writer;
            writer.Dispose();
            throw Exists(finished);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Refused(FailureKind.Output, directory, $"cannot write into the directory of the output: {e.Message}", "choose another place with -o.", e);
        }
    }

    /// <summary>Whether another run that lives is writing this output now.</summary>
    public static bool IsHeld(string output)
    {
        string stage = StageOf(Path.GetFullPath(output));
        if (!File.Exists(Path.Combine(stage, LockName)))
            return false;
        using FileStream? @lock = TryLock(stage);
        return @lock is null;
    }

    /// <summary>Refuses files that turned out to be inputs after <see cref="Begin"/>: the external data of the model.</summary>
    /// <exception cref="SamCompressException">The output would be written over one of them.</exception>
    public void RefuseInputs(IReadOnlyList<string> inputs) => RefuseInputs(_targets, inputs);

    /// <summary>Where to make a file of that name; the name is kept when it is moved into place.</summary>
    public string StagePath(string fileName) => Path.Combine(_stage, fileName);

    /// <summary>Runs a step that writes into the stage, and turns a full disk or a missing right into an error that names the output.</summary>
    public T Write<T>(Func<T> step) => Write(step, needs: "");

    /// <summary>Writes a model into the stage.</summary>
    /// <param name="name">Of its file, which may lie in folders of the stage.</param>
    /// <returns>The files written, the model first.</returns>
    public IReadOnlyList<string> Save(Model model, string name, ExternalDataMode externalData)
    {
        ArgumentNullException.ThrowIfNull(model);
        string path = StagePath(name);
        return Write(() =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            return OnnxWriter.Save(model, path, new SaveOptions { ExternalData = externalData });
        }, $" ({Quantity.Bytes(OnnxWriter.TensorBytes(model))} or more are needed)");
    }

    /// <summary>Flushes what is in the stage and renames it into place, the main file last.</summary>
    /// <returns>The full paths, the main file first.</returns>
    public IReadOnlyList<string> Commit() => Write<IReadOnlyList<string>>(() =>
    {
        IReadOnlyList<string> files = FilesOf(_stage, Path.GetFileName(Output));
        foreach (string file in files)
            DiskFlush.File(file);
        File.WriteAllBytes(StagePath(CommitName), []);
        DiskFlush.Directory(_stage);
        Rename(files, Path.GetDirectoryName(Output)!, _overwrite);
        return [Output, .. files.SkipLast(1).Select(f => Path.Combine(Path.GetDirectoryName(Output)!, Path.GetFileName(f)))];
    });

    public void Dispose()
    {
        Empty(_stage);
        File.Delete(_lock.Name);
        _lock.Dispose();
        DeleteIfEmpty(_stage);
        foreach (string directory in _made)
            DeleteIfEmpty(directory);
    }

    private T Write<T>(Func<T> step, string needs)
    {
        try
        {
            return step();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException || IsFileTooLarge(e))
        {
            throw Refused(FailureKind.Output, Output, $"cannot write: {e.Message}", $"free space{needs} or choose another place with -o; what was there before is untouched.", e);
        }
    }

    /// <summary>What a stage holds to be renamed, the main file last.</summary>
    private static List<string> FilesOf(string stage, string main) =>
        [.. Directory.GetFiles(stage).Where(f => !IsOurs(f)).OrderBy(f => Path.GetFileName(f) == main).ThenBy(f => f, StringComparer.Ordinal)];

    private static void Rename(IReadOnlyList<string> files, string directory, bool overwrite)
    {
        for (int i = 0; i < files.Count; i++)
        {
            // What the main file names must be on the disk before it.
            if (i == files.Count - 1)
                DiskFlush.Directory(directory);
            File.Move(files[i], Path.Combine(directory, Path.GetFileName(files[i])), overwrite);
        }

        DiskFlush.Directory(directory);
    }

    private static List<string> MissingDirectories(string directory)
    {
        var missing = new List<string>();
        for (string? d = directory; d is not null && !Directory.Exists(d); d = Path.GetDirectoryName(d))
            missing.Add(d);
        return missing;
    }

    private static void RefuseInputs(IReadOnlyList<string> targets, IReadOnlyList<string> inputs)
    {
        var real = new HashSet<string>(inputs.Select(i => InputFile.RealPath(i) ?? i), OperatingSystem.IsLinux() ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase);
        foreach (string target in targets)
        {
            if (real.Contains(InputFile.RealPath(target) ?? target))
                throw Refused(FailureKind.Usage, target, "the output would be written over an input", "choose another name with -o.");
        }
    }

    private static (string Stage, FileStream Lock) Claim(string output)
    {
        string stage = StageOf(output);
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                Directory.CreateDirectory(stage);
                RefuseForeign(stage);
                FileStream @lock = TryLock(stage) ?? throw Refused(FailureKind.Output, output, $"another run is writing this output{Owner(stage)}", "wait for it, or choose another name with -o.");
                File.WriteAllText(Path.Combine(stage, OwnerName), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
                return (stage, @lock);
            }
            catch (DirectoryNotFoundException) when (attempt < 3)
            {
                // The run before removed its stage between the two calls.
            }
        }
    }

    private static string StageOf(string output) => Path.Combine(Path.GetDirectoryName(output)!, $".{Path.GetFileName(output)}{StageSuffix}");

    /// <summary>What is in a stage is deleted in the end: it must be ours.</summary>
    private static void RefuseForeign(string stage)
    {
        bool isEmpty = !Directory.EnumerateFileSystemEntries(stage).Any(e => Path.GetFileName(e) != LockName);
        if (new DirectoryInfo(stage).LinkTarget is not null || (!isEmpty && !File.Exists(Path.Combine(stage, LockName))))
            throw Refused(FailureKind.Output, stage, "this is where the output would be made, and it is not ours", "move it away, or choose another name with -o.");
    }

    private static void SweepDeadStages(string directory)
    {
        foreach (string stage in Directory.GetDirectories(directory, $".*{StageSuffix}"))
        {
            if (!File.Exists(Path.Combine(stage, LockName)) || new DirectoryInfo(stage).LinkTarget is not null)
                continue;
            using FileStream? @lock = TryLock(stage);
            if (@lock is null)
                continue;
            if (File.Exists(Path.Combine(stage, CommitName)))
                Rename(FilesOf(stage, Path.GetFileName(stage)[1..^StageSuffix.Length]), directory, overwrite: true);
            Empty(stage);
            File.Delete(@lock.Name);
            DeleteIfEmpty(stage);
        }
    }

    /// <summary>The lock of a stage, or null when a living process holds it.</summary>
    private static FileStream? TryLock(string stage)
    {
        try
        {
            return new FileStream(Path.Combine(stage, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or FileNotFoundException or PathTooLongException))
        {
            return null;
        }
    }

    private static string Owner(string stage)
    {
        string owner = Path.Combine(stage, OwnerName);
        return File.Exists(owner) ? $": process {File.ReadAllText(owner)}" : "";
    }

    /// <summary>What .NET makes of EFBIG: a quota, or a file system that holds no file of that size.</summary>
    private static bool IsFileTooLarge(Exception e) => e is ArgumentOutOfRangeException { ParamName: "value", Source: "System.Private.CoreLib" };

    private static bool IsOurs(string file) => Path.GetFileName(file) is LockName or OwnerName or CommitName;

    /// <summary>Removes everything but the lock.</summary>
    private static void Empty(string stage)
    {
        foreach (string file in Directory.GetFiles(stage).Where(f => Path.GetFileName(f) != LockName))
            File.Delete(file);
        foreach (string directory in Directory.GetDirectories(stage))
            Directory.Delete(directory, recursive: true);
    }

    private static void DeleteIfEmpty(string directory)
    {
        if (Directory.Exists(directory) && !Directory.EnumerateFileSystemEntries(directory).Any())
            Directory.Delete(directory);
    }

    private static SamCompressException Exists(string target) => Refused(FailureKind.Output, target, "the output exists", "use --overwrite to replace it, or -o to write elsewhere.");

    private static SamCompressException Refused(FailureKind kind, string where, string message, string hint, Exception? inner = null) =>
        new(kind, message, hint, inner) { Location = where };
}
