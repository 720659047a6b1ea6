// Verifies and parses everything, handles what pforge's recipes app handles with a handler that does
// nothing, keeps nothing.
export default (app) => {
  app.on(["pull_request", "issue_comment", "check_suite"], async () => {});
};
