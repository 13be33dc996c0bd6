using System.Text.Json.Nodes;
using SamCompress.Cli.Jobs;
using SamCompress.Cli.Rendering;
using SamCompress.Testing;

namespace SamCompress.Cli.Tests.Reports;

/// <summary>The schemas of reports are those of the records that are written, and reports keep to them.</summary>
public sealed class ReportSchemaTests
{
    /// <summary>Numbers that are not finite are written as null.</summary>
    private static readonly Dictionary<Type, string> Special = new() { [typeof(double)] = """{ "type": ["number", "null"] }""" };

    public static TheoryData<string, Type> Schemas => new()
    {
        { "compression-report", typeof(CompressionReport) },
        { "rewrite-report", typeof(RewriteReport) },
        { "prune-report", typeof(PruneReport) },
        { "distill-report", typeof(DistillReport) },
        { "evaluate-report", typeof(EvaluateReport) },
    };

    [Theory]
    [MemberData(nameof(Schemas))]
    public void The_published_schema_is_that_of_the_record(string name, Type type) =>
        JsonSchemaFile.AssertCurrent(name, type, JsonText.Options, isWritten: true, Special);

    [Fact]
    public void Reports_of_every_kind_keep_to_their_schemas()
    {
        AssertValid("compression-report", SampleReports.Compression);
        AssertValid("rewrite-report", SampleReports.Rewrite);
        AssertValid("prune-report", SampleReports.Prune);
        AssertValid("distill-report", SampleReports.Distill);
    }

    [Fact]
    public void The_check_finds_what_is_wrong()
    {
        JsonObject report = JsonNode.Parse(JsonText.Serialize(SampleReports.Compression))!.AsObject();
        report.Remove("gates");
        report["toolVersion"] = 3;
        report["layers"]![0]!["kind"] = "Magic";
        report["model"]!["folder"] = "/home";

        Assert.Equal(
            ["$ lacks gates", "$.toolVersion is Number, not \"string\"", "$.model has an unknown member folder"],
            JsonSchemaCheck.Violations(JsonSchemaFile.Read("compression-report"), report).Where(v => !v.Contains("kind", StringComparison.Ordinal)));
        Assert.Contains(JsonSchemaCheck.Violations(JsonSchemaFile.Read("compression-report"), report), v => v.StartsWith("$.layers[0].kind is none of", StringComparison.Ordinal));
    }

    private static void AssertValid(string schema, object report) => AssertValid(schema, JsonText.Serialize(report));

    /// <summary>Fails where a report breaks its schema.</summary>
    internal static void AssertValid(string schema, string json) => Assert.Empty(JsonSchemaCheck.Violations(JsonSchemaFile.Read(schema), JsonNode.Parse(json)));
}
