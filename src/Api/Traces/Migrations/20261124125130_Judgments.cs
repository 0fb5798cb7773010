using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace SaferGuard.Api.Traces.Migrations
{
    /// <inheritdoc />
    public partial class Judgments : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "judgments",
                columns: table => new
                {
                    id = table.Column<string>(type: "TEXT", nullable: false),
                    kind = table.Column<string>(type: "TEXT", nullable: false),
                    created = table.Column<long>(type: "INTEGER", nullable: false),
                    decision = table.Column<string>(type: "TEXT", nullable: false),
                    model_digest = table.Column<string>(type: "TEXT", nullable: false),
                    policy_digest = table.Column<string>(type: "TEXT", nullable: false),
                    body = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_judgments", x => x.id);
                });

            // Append-only: what was judged is never rewritten, whoever holds the file's connection.
            migrationBuilder.Sql(
                "CREATE TRIGGER judgments_are_never_changed BEFORE UPDATE ON judgments "
                + "BEGIN SELECT RAISE(ABORT, 'judgments are never changed'); END;");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "judgments");
        }
    }
}
