using System.Reflection;
using System.Xml.Linq;
using SamCompress.IR;
using SamCompress.Passes;
using SamCompress.Passes.Rewriting;
using SamCompress.Runtime.Inference;

namespace SamCompress.Cli.Tests.Repository;

public sealed class ArchitectureTests
{
    private static readonly Assembly GraphAssembly = typeof(Model).Assembly;
    private static readonly Assembly PassesAssembly = typeof(Pass).Assembly;
    private static readonly Assembly RuntimeAssembly = typeof(OnnxSession).Assembly;
    private static readonly Assembly CliAssembly = typeof(CommandLine).Assembly;

    [Fact]
    public void Dependencies_point_one_way()
    {
        Assert.Equal(["Google.Protobuf"], References(GraphAssembly));
        AssertReferencesOnly(PassesAssembly, "SamCompress.Graph", "MathNet.Numerics");
        AssertReferencesOnly(RuntimeAssembly, "SamCompress.Graph", "SamCompress.Passes", "Microsoft.ML.OnnxRuntime");
        AssertReferencesOnly(CliAssembly, "SamCompress.Graph", "SamCompress.Passes", "SamCompress.Runtime", "System.CommandLine");
    }

    [Fact]
    public void Project_references_are_a_chain()
    {
        Assert.Empty(ProjectReferences("src/SamCompress.Graph/SamCompress.Graph.csproj"));
        Assert.Equal(["SamCompress.Graph"], ProjectReferences("src/SamCompress.Passes/SamCompress.Passes.csproj"));
        Assert.Equal(["SamCompress.Passes"], ProjectReferences("src/SamCompress.Runtime/SamCompress.Runtime.csproj"));
        Assert.Equal(["SamCompress.Runtime"], ProjectReferences("src/SamCompress.Cli/SamCompress.Cli.csproj"));
    }

    [Fact]
    public void Only_Inference_names_ONNX_Runtime()
    {
        IEnumerable<string> elsewhere = RepositoryFiles.Below("src", "*.cs")
            .Where(path => !path.StartsWith("src/SamCompress.Runtime/Inference/", StringComparison.Ordinal))
            .Where(path => RepositoryFiles.Read(path).Contains("Microsoft.ML.OnnxRuntime", StringComparison.Ordinal));

        Assert.Empty(elsewhere);
    }

    [Fact]
    public void Protobuf_messages_stay_inside_Graph()
    {
        Assert.DoesNotContain(GraphAssembly.GetExportedTypes(), type => typeof(Google.Protobuf.IMessage).IsAssignableFrom(type));
    }

    [Fact]
    public void Every_pass_and_rule_has_a_test_class()
    {
        HashSet<string> tested = [.. RepositoryFiles.Below("tests", "*Tests.cs").Select(path => Path.GetFileNameWithoutExtension(path))];
        IEnumerable<string> untested = PassesAssembly.GetTypes()
            .Where(type => !type.IsAbstract && (type.IsAssignableTo(typeof(Pass)) || type.IsAssignableTo(typeof(RewriteRule))))
            .Select(type => type.Name)
            .Where(name => !tested.Contains($"{name}Tests"));

        Assert.Empty(untested);
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        string solution = RepositoryFiles.Read("SamCompress.sln").Replace('\\', '/');
        IEnumerable<string> projects = new[] { "src", "tests", "bench" }.SelectMany(folder => RepositoryFiles.Below(folder, "*.csproj"));

        Assert.All(projects, project => Assert.Contains(project, solution, StringComparison.Ordinal));
    }

    [Fact]
    public void No_file_knows_the_machine_it_was_written_on()
    {
        string home = Path.GetFullPath(RepositoryFiles.Root) + Path.DirectorySeparatorChar;
        IEnumerable<string> files = new[] { "src", "tests", "bench", "docs", "eng" }
            .SelectMany(folder => new[] { "*.cs", "*.csproj", "*.md", "*.sh", "*.txt", "*.json" }.SelectMany(pattern => RepositoryFiles.Below(folder, pattern)));

        Assert.DoesNotContain(files, path => RepositoryFiles.Read(path).Contains(home, StringComparison.Ordinal));
    }

    private static void AssertReferencesOnly(Assembly assembly, params string[] allowed)
    {
        Assert.Empty(References(assembly).Except(allowed, StringComparer.Ordinal));
    }

    private static string[] References(Assembly assembly)
    {
        return
        [
            .. assembly.GetReferencedAssemblies()
                .Select(name => name.Name!)
                .Where(name => name is "System.CommandLine" || !(name is "mscorlib" or "netstandard" or "Microsoft.Win32.Primitives" || name.StartsWith("System", StringComparison.Ordinal)))
                .Order(StringComparer.Ordinal),
        ];
    }

    private static string[] ProjectReferences(string project)
    {
        return
        [
            .. XDocument.Parse(RepositoryFiles.Read(project)).Descendants("ProjectReference")
                .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value)),
        ];
    }
}
