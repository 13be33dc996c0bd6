using System.Runtime.InteropServices;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Packaging;

/// <summary>The packages as a user gets them: the tool in an empty folder, and the sample project that compresses a model in its build.</summary>
[Trait("Category", "Long")]
public sealed class PackageTests(PackageTests.Feed feed) : IClassFixture<PackageTests.Feed>, IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void The_tool_runs_from_an_empty_folder()
    {
        string tool = _directory.File("tool"), work = Directory.CreateDirectory(_directory.File("work")).FullName;
        Succeeds(ProcessRun.DotNet(work, "tool", "install", "samcompress", "--tool-path", tool, "--add-source", feed.Folder));
        File.Copy(feed.Nano, Path.Combine(work, "encoder.onnx"));

        ProcessRun run = ProcessRun.Of(Path.Combine(tool, RuntimeInformation.IsOSPlatform(OSPlatform.Windows) ? "samcompress.exe" : "samcompress"), work, "quantize", "encoder.onnx", "--samples", "2", "-q");

        Succeeds(run);
        Assert.Contains("26 of 26 Linear", run.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(work, "encoder.w8a8.onnx")));
    }

    [Fact]
    public void The_package_holds_no_library_that_is_not_used()
    {
        Assert.All(Directory.GetFiles(feed.Folder, "*.nupkg"), package => Assert.InRange(new FileInfo(package).Length, 1_000_000, 60_000_000));
        Assert.Equal(["SamCompress.MSBuild", "samcompress"], Directory.GetFiles(feed.Folder, "*.nupkg").Select(p => Path.GetFileName(p).Split(".0.")[0]).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_sample_project_compresses_a_model_in_its_build()
    {
        string project = _directory.File("sample"), pictures = Directory.CreateDirectory(_directory.File("pictures")).FullName;
        Directory.CreateDirectory(project);
        foreach (string file in Directory.GetFiles(Path.Combine(SkeletonModels.RepositoryRoot, "samples", "MSBuild")))
            File.Copy(file, Path.Combine(project, Path.GetFileName(file)));
        for (int i = 0; i < 3; i++)
            File.Copy(Path.Combine(SkeletonModels.RepositoryRoot, "calibration", $"scene_00{i}.jpg"), Path.Combine(pictures, $"{i}.jpg"));
        string obj = Path.Combine(project, "obj", "Debug", "net10.0", "samcompress", "encoder.w8a8.onnx"), copy = Path.Combine(project, "bin", "Debug", "net10.0", "encoder.w8a8.onnx");

        Succeeds(Build());
        Assert.Equal(File.ReadAllBytes(obj), File.ReadAllBytes(copy));
        DateTime made = File.GetLastWriteTimeUtc(obj);

        Succeeds(Build());
        Assert.Equal(made, File.GetLastWriteTimeUtc(obj));

        File.Delete(Path.Combine(pictures, "2.jpg"));
        Succeeds(Build());
        Assert.NotEqual(made, File.GetLastWriteTimeUtc(obj));
        Assert.Equal(File.ReadAllBytes(obj), File.ReadAllBytes(copy));
        Assert.Contains($"encoder.w8a8.onnx: {new FileInfo(copy).Length} bytes", ProcessRun.DotNet(project, Path.ChangeExtension(Path.Combine(Path.GetDirectoryName(copy)!, "Segmenter"), "dll")).Output, StringComparison.Ordinal);

        Succeeds(ProcessRun.DotNet(project, ["clean", .. Properties()]));
        Assert.False(File.Exists(obj));
        Assert.False(File.Exists(copy));

        ProcessRun Build() => ProcessRun.DotNet(project, ["build", .. Properties()]);

        string[] Properties() =>
        [
            "-v:m", "-nodeReuse:false", $"-p:Model={feed.Nano}", $"-p:Pictures={pictures}", $"-p:RestoreAdditionalProjectSources={feed.Folder}", $"-p:RestorePackagesPath={_directory.File("packages")}",
        ];
    }

    private static void Succeeds(ProcessRun run) => Assert.True(run.ExitCode == 0, run.Output);

    /// <summary>The packages, made of what was built with the tests.</summary>
    public sealed class Feed : IDisposable
    {
        private readonly TemporaryDirectory _directory = new();

        public Feed()
        {
            string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
            foreach (string project in (string[])["SamCompress.Cli", "SamCompress.MSBuild"])
                Succeeds(ProcessRun.DotNet(SkeletonModels.RepositoryRoot, "pack", Path.Combine("src", project), "--no-build", "-c", configuration, "-o", Folder, "-v:q"));
        }

        internal string Nano { get; } = Path.Combine(SkeletonModels.RepositoryRoot, "models", "sam-nano", "encoder.onnx");

        internal string Folder => _directory.Path;

        public void Dispose() => _directory.Dispose();
    }
}
