using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Packaging;

/// <summary>When the build targets run the tool, and with what: a script stands in for it. The real tool is in <see cref="PackageTests"/>.</summary>
public sealed class BuildTargetsTests : IDisposable
{
    private const string Ran = "tool was asked to";
    private readonly TemporaryDirectory _directory = new();

    public BuildTargetsTests()
    {
        Directory.CreateDirectory(_directory.File("pictures"));
        _directory.Write("encoder.onnx", "model");
        _directory.Write("pictures/a.jpg", "one");
        _directory.Write("pictures/b.PNG", "two");
        _directory.Write("tool.sh", $"echo \"{Ran} $*\"\nwhile [ $# -gt 0 ]; do if [ \"$1\" = -o ]; then echo made > \"$2\"; fi; shift; done\n");
        Project("""<SamModel Include="encoder.onnx" CalibrationData="pictures" Options="--samples 2" />""");
    }

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_model_is_compressed_again_when_the_set_of_pictures_changed()
    {
        ProcessRun first = Build();
        Assert.Contains("quantize --precision w8a8", first.Output, StringComparison.Ordinal);
        Assert.Contains("--overwrite -q --calibration-data pictures --samples 2", first.Output, StringComparison.Ordinal);
        Assert.Contains("content encoder.w8a8.onnx", first.Output, StringComparison.Ordinal);

        File.SetLastWriteTimeUtc(_directory.File("pictures/a.jpg"), DateTime.UtcNow.AddMinutes(1));
        ProcessRun second = Build();
        Assert.Equal(0, second.Count(Ran));
        Assert.Contains("content encoder.w8a8.onnx", second.Output, StringComparison.Ordinal);

        File.Delete(_directory.File("pictures/b.PNG"));
        Assert.Equal(1, Build().Count(Ran));
        _directory.Write("pictures/a.jpg", "changed");
        Assert.Equal(1, Build().Count(Ran));
    }

    [Fact]
    public void Each_model_has_dependencies_of_its_own()
    {
        _directory.Write("other.onnx", "other");
        _directory.Write("other.onnx.data", "weights");
        Project("""<SamModel Include="encoder.onnx" CalibrationData="pictures" /><SamModel Include="other.onnx" Recipe="fast" EmbedPreprocessing="file" Link="models/small.onnx" />""");
        ProcessRun first = Build();
        Assert.Equal(2, first.Count(Ran));
        Assert.Contains("compress --recipe fast", first.Output, StringComparison.Ordinal);
        Assert.Contains("--embed-preprocessing file", first.Output, StringComparison.Ordinal);
        Assert.Contains("content encoder.w8a8.onnx;models/small.onnx", first.Output, StringComparison.Ordinal);

        _directory.Write("obj/samcompress/other.fast.onnx.data", "weights");
        File.SetLastWriteTimeUtc(_directory.File("other.onnx.data"), DateTime.UtcNow.AddMinutes(1));
        ProcessRun second = Build();
        Assert.Equal(1, second.Count(Ran));
        Assert.Contains("content encoder.w8a8.onnx;models/small.onnx;models/other.fast.onnx.data", second.Output.Replace('\\', '/'), StringComparison.Ordinal);
        Assert.Equal(0, ProcessRun.DotNet(_directory.Path, "msbuild", "test.proj", "-nologo", "-v:m", "-t:Clean").ExitCode);
        Assert.False(Directory.Exists(_directory.File("obj/samcompress")));
    }

    [Fact]
    public void Errors_of_the_tool_are_errors_of_the_build()
    {
        _directory.Write("tool.sh", "echo 'encoder.onnx(/blocks.0): error SC3005: weights are missing' >&2; exit 3\n");
        ProcessRun run = Build();
        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("encoder.onnx(/blocks.0) : error SC3005: weights are missing", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gate_that_is_missed_fails_the_build_and_the_next_one()
    {
        _directory.Write("tool.sh", "while [ $# -gt 0 ]; do if [ \"$1\" = -o ]; then echo made > \"$2\"; fi; shift; done; exit 1\n");
        for (int i = 0; i < 2; i++)
        {
            ProcessRun run = Build();
            Assert.NotEqual(0, run.ExitCode);
            Assert.Contains("error SC1000", run.Output, StringComparison.Ordinal);
        }
    }

    private ProcessRun Build() => ProcessRun.DotNet(_directory.Path, "msbuild", "test.proj", "-nologo", "-v:m");

    private void Project(string items) => _directory.Write("test.proj", $"""
        <Project DefaultTargets="Build">
          <PropertyGroup>
            <IntermediateOutputPath>obj/</IntermediateOutputPath>
            <SamCompressHost>bash</SamCompressHost>
            <SamCompressTool>$(MSBuildProjectDirectory)/tool.sh</SamCompressTool>
          </PropertyGroup>
          <ItemGroup>{items}</ItemGroup>
          <Target Name="Clean" />
          <Target Name="AssignTargetPaths" />
          <Target Name="Build" DependsOnTargets="AssignTargetPaths"><Message Importance="high" Text="content @(Content->'%(Link)')" /></Target>
          <Import Project="{Path.Combine(SkeletonModels.RepositoryRoot, "src", "SamCompress.MSBuild", "build", "SamCompress.MSBuild.targets")}" />
        </Project>
        """);
}
