// What the shipped scripts put into the page, and what the page gives them.

interface XlwingsPage {
  getBookData(
    options: { auth?: string; headers?: Record<string, string> },
    context: Excel.RequestContext,
  ): Promise<any>;
  runActions(actions: unknown, context: Excel.RequestContext): Promise<void>;
  runPython(options: {
    scriptName: string;
    auth?: string;
    include?: string;
    exclude?: string;
    headers?: Record<string, string>;
    errorDisplayMode?: "alert" | "taskpane";
    args?: unknown[];
  }): Promise<void>;
  registerCallback(callback: Function): void;
  getCultureInfoName(): Promise<string | null>;
  getDateFormat(): Promise<string | null>;
}

declare var config: { requestTimeout: number; environment: string; xlwingsVersion: string };
declare var getAuth: () => Promise<{ token: string; provider: string }>;
declare var getWorkbookName: () => Promise<string>;
declare var tilt: import("./sheet.js").Sheet;
declare var tiltLongFunctions: string[] | undefined;
declare var xlwings: XlwingsPage;
declare var xwRequest: { get: Function; post: Function };

declare namespace CustomFunctions {
  enum ErrorCode {
    divisionByZero = "#DIV/0!",
    notAvailable = "#N/A",
    invalidValue = "#VALUE!",
  }
  class Error {
    constructor(code: ErrorCode, message?: string);
    code: ErrorCode;
    message: string;
  }
}
